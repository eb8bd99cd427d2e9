"""The collector: whether it receives, whether what it received leaves it, and what it refuses.

Healthy is not delivering: its health endpoint stays green while every export fails. Its own counters tell, at
two looks a moment apart: what is queued and does not get less, while nothing is sent, is stuck.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loom.contract import foreign
from loom.contract.series import Series
from loom.deploy.doctor.checks import runtime, steps
from loom.deploy.doctor.checks.machine import CERTIFICATES, MEMORY
from loom.deploy.doctor.checks.services import answers, runs
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.exposition import Page, Point
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok
from loom.deploy.doctor.stack import Endpoint
from loom.deploy.plan.model import Service

TAKES, DELIVERS, QUEUE = "collector-takes", "collector-delivers", "collector-queue"
_NEARLY = 0.7
"""Share of a queue from which on its operators say to scale."""
_REFUSED = (
    foreign.LIMITER_REFUSED_SPANS,
    foreign.LIMITER_REFUSED_METRIC_POINTS,
    foreign.REFUSED_SPANS,
    foreign.REFUSED_METRIC_POINTS,
)


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of telemetry, and the series that count it."""

    name: str
    data_type: str
    """As the queue's label says it."""
    sent: Series
    failed: Series
    enqueue_failed: Series


_SIGNALS = (
    Signal(
        "spans",
        "traces",
        foreign.SENT_SPANS,
        foreign.SEND_FAILED_SPANS,
        foreign.ENQUEUE_FAILED_SPANS,
    ),
    Signal(
        "metric points",
        "metrics",
        foreign.SENT_METRIC_POINTS,
        foreign.SEND_FAILED_METRIC_POINTS,
        foreign.ENQUEUE_FAILED_METRIC_POINTS,
    ),
)


@dataclass(frozen=True, slots=True)
class Looks:
    """Both looks at the collector's own metrics."""

    first: Page
    second: Page

    def grown(self, series: Series, exporter: str = "") -> float:
        """How much a counter has grown between them; of one exporter if one is named."""
        return _count(self.second, series, exporter) - _count(self.first, series, exporter)


@dataclass(frozen=True, slots=True)
class Queue:
    """The sending queue of one exporter, at both looks, in the unit of its sizer."""

    exporter: str
    before: float
    now: float
    capacity: float

    @property
    def share(self) -> float:
        """How full it is now, 0 to 1."""
        return self.now / self.capacity if self.capacity else 0.0


def queues(looks: Looks, signal: Signal) -> Iterator[Queue]:
    """Every queue of a signal."""
    before = {
        point.labels.get("exporter", ""): point for point in _of(looks.first, foreign.QUEUE_SIZE, signal)
    }
    room = {
        point.labels.get("exporter", ""): point for point in _of(looks.second, foreign.QUEUE_CAPACITY, signal)
    }
    for point in _of(looks.second, foreign.QUEUE_SIZE, signal):
        name = point.labels.get("exporter", "")
        old = before[name].value if name in before else 0.0
        yield Queue(name, old, point.value, room[name].value if name in room else 0.0)


def judge_taking(evidence: Evidence, looks: Looks) -> Judgement:
    """Nothing is refused while we look."""
    refused = [series for series in _REFUSED if looks.grown(series) > 0]
    total = sum(_count(looks.second, series) for series in _REFUSED)
    if not refused:
        return ok(f"nothing is refused now; since its start {total:g}")
    said = ", ".join(f"{series.name} grows by {looks.grown(series):g}" for series in refused)
    if evidence.stack.plan:
        limit = evidence.stack.plan.limiter.limit_mib
        said += f"; its memory limiter allows {limit} MiB"
    return broken(said, "give the collector more memory (collector.memory in the profile), or send less")


def judge_delivering(evidence: Evidence, looks: Looks) -> Judgement:
    """What it received leaves it."""
    del evidence
    faults = [fault for signal in _SIGNALS for fault in _faults(looks, signal)]
    if faults:
        remedy = "see which address the exporter has, whether that store answers, and the collector's log"
        return broken("; ".join(faults), remedy)
    sent = ", ".join(f"{looks.second.total(signal.sent.name):g} {signal.name}" for signal in _SIGNALS)
    lost = sum(
        looks.second.total(s.name) for signal in _SIGNALS for s in (signal.failed, signal.enqueue_failed)
    )
    return ok(f"sent {sent}; lost {lost:g} since its start, none now")


def judge_queue(evidence: Evidence, looks: Looks) -> Judgement:
    """Its sending queues have room."""
    del evidence
    every = [queue for signal in _SIGNALS for queue in queues(looks, signal)]
    if not every:
        return not_applicable("no exporter has a queue")
    said = ", ".join(f"{queue.exporter} {queue.now:g} of {queue.capacity:g}" for queue in every)
    full = [queue for queue in every if min(queue.now, queue.before) > _NEARLY * queue.capacity]
    if not full:
        return ok(said)
    dropped = sum(looks.grown(signal.enqueue_failed) for signal in _SIGNALS)
    name = full[0].exporter
    return broken(
        f"the queue of {name} is nearly full: {said}; {dropped:g} dropped while looking",
        f"what {name} sends to is too slow: give it more resources; collector.queue.size only buys time",
    )


def _faults(looks: Looks, signal: Signal) -> Iterator[str]:
    for series in (signal.failed, signal.enqueue_failed):
        exporters = {
            name for name in looks.second.by(series.name, "exporter") if looks.grown(series, name) > 0
        }
        for name in sorted(exporters):
            # A full queue before an exporter that sends is the queue's own fault, told there.
            if series is signal.failed or not looks.grown(signal.sent, name):
                yield f"{name} loses {looks.grown(series, name):g} {signal.name} ({series.name})"
    for queue in queues(looks, signal):
        if min(queue.before, queue.now) > 0 and not looks.grown(signal.sent, queue.exporter):
            yield f"{queue.exporter} sends no {signal.name}, and {queue.now:g} are queued"


def _count(page: Page, series: Series, exporter: str = "") -> float:
    return page.by(series.name, "exporter").get(exporter, 0.0) if exporter else page.total(series.name)


def _of(page: Page, series: Series, signal: Signal) -> list[Point]:
    return [point for point in page.all(series.name) if point.labels.get("data_type") == signal.data_type]


def _looking(judge: Callable[[Evidence, Looks], Judgement]) -> Callable[[Evidence], Judgement]:
    def look(evidence: Evidence) -> Judgement:
        if Endpoint.COLLECTOR_METRICS not in evidence.stack.endpoints:
            return not_applicable(
                f"no address of its own metrics (--endpoint {Endpoint.COLLECTOR_METRICS}=…)"
            )
        first, second = evidence.page(Endpoint.COLLECTOR_METRICS), evidence.later
        if first is None or second is None:
            return cannot_tell("the collector does not show its own metrics")
        return judge(evidence, Looks(first, second))

    return look


_COLLECTOR = (runs(Service.COLLECTOR), answers(Service.COLLECTOR), CERTIFICATES, runtime.SPEAKS)
_STORES = tuple(
    check(service) for service in (Service.JAEGER, Service.PROMETHEUS) for check in (runs, answers)
)
CHECKS = (
    Check(
        DELIVERS,
        "What the collector receives leaves it",
        steps.COLLECTOR,
        _looking(judge_delivering),
        (*_COLLECTOR, *_STORES),
    ),
    Check(
        QUEUE,
        "The collector's queues have room",
        steps.RESOURCES,
        _looking(judge_queue),
        (*_COLLECTOR, *_STORES, DELIVERS),
    ),
    Check(
        TAKES,
        "The collector refuses nothing",
        steps.RESOURCES,
        _looking(judge_taking),
        (*_COLLECTOR, MEMORY, *_STORES, DELIVERS, QUEUE),
    ),
)
