"""The live check: everything that arrives is compared with the contract. No clock, no thread, no network."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from loom.contract import metrics, resource, scopes, spans
from loom.contract.coverage import NAMESPACE
from loom.deploy.embedded import rows
from loom.deploy.embedded.fault import Counted, Fault, Faults, Subject
from loom.deploy.embedded.metric_watch import SERIES, MetricWatch
from loom.deploy.embedded.report import ForeignRow, ProcessRow, Report
from loom.deploy.embedded.requirement import EVERYTHING, Need, Requirement
from loom.deploy.embedded.span_watch import SPANS, SpanWatch, note
from loom.deploy.embedded.trace_ring import TRACES, TraceRing
from loom.receiver.arrival import Arrival, Identity, MetricArrival, Origin, SpanArrival
from loom.receiver.signals import TAKEN, Refusal

_PROCESSES = 1000
"""Processes that are told apart."""
_SCOPES = 200
"""Scopes of others that are told apart."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is kept at the most."""

    series: int = SERIES
    spans: int = SPANS
    traces: int = TRACES


@dataclass(slots=True)
class Foreign:
    """What came from a scope that is not ours."""

    metrics: set[str] = field(default_factory=set)
    spans: int = 0


class Inspection:
    """Takes arrivals one after the other; `report` may be asked for at any moment."""

    def __init__(self, budget: Budget | None = None) -> None:
        """Nothing has arrived."""
        kept = budget or Budget()
        self._metrics = MetricWatch(kept.series)
        self._spans = SpanWatch(kept.spans)
        self._ring = TraceRing(kept.traces)
        self._faults = Faults()
        self._origins: dict[Identity, Origin] = {}
        self._judged: set[Identity] = set()
        self._emitting: set[str] = set()
        self._foreign: defaultdict[str, Foreign] = defaultdict(Foreign)

    def observe(self, arrival: Arrival, now: float) -> Refusal:
        """Take one metric or span; `now` in seconds of any clock that does not go back."""
        ours = _ours(arrival)
        self._note_origin(arrival.origin, ours=ours)
        if ours:
            self._emitting.add(arrival.scope)
        if isinstance(arrival, SpanArrival):
            return self._observe_span(arrival, now, ours=ours)
        return self._observe_metric(arrival, ours=ours)

    def report(self, requirement: Requirement = EVERYTHING, *, now: float, ended: bool = False) -> Report:
        """How things stand; `ended` when nothing more will come."""
        needs = {entry: requirement.of(entry, self._emitting) for entry in (*metrics.ALL, *spans.ALL)}
        metric_rows = [rows.metric_row(x, self._metrics, self._faults, needs[x]) for x in metrics.ALL]
        span_rows = [rows.span_row(x, self._spans, self._faults, needs[x]) for x in spans.ALL]
        theirs = [
            rows.span_row(x, self._spans, self._faults, Need.NOTHING) for x in rows.known_foreign_spans()
        ]
        absent = (
            *(
                a
                for x, row in zip(metrics.ALL, metric_rows, strict=True)
                for a in rows.absences(x, row, needs[x])
            ),
            *(
                a
                for x, row in zip(spans.ALL, span_rows, strict=True)
                for a in rows.span_absence(row, needs[x])
            ),
        )
        return Report(
            metrics=tuple(metric_rows),
            spans=(*span_rows, *theirs),
            foreign=tuple(self._foreign_rows()),
            processes=tuple(_process(origin) for origin in self._origins.values()),
            faults=tuple(self._all_faults(now, ended=ended)),
            dropped=self._faults.dropped,
            absent=absent if self._emitting else _silence(),
            coverage=rows.shares(metric_rows, span_rows),
            points=self._metrics.points,
            arrived=self._spans.total,
        )

    @property
    def waiting(self) -> int:
        """Spans whose parent has not arrived."""
        return self._spans.waiting

    def summaries(self) -> list[dict[str, Any]]:
        """The latest traces, see `TraceRing.summaries`."""
        return self._ring.summaries()

    def waterfall(self, trace_id: str) -> dict[str, Any] | None:
        """One of them with its spans; None if it is gone."""
        return self._ring.waterfall(trace_id)

    def _observe_metric(self, arrival: MetricArrival, *, ours: bool) -> Refusal:
        if not ours:
            if len(self._foreign) < _SCOPES or arrival.scope in self._foreign:
                note(self._foreign[arrival.scope].metrics, arrival.name)
            return TAKEN
        faults, refusal = self._metrics.observe(arrival)
        self._faults.add(faults)
        return refusal

    def _observe_span(self, arrival: SpanArrival, now: float, *, ours: bool) -> Refusal:
        if not ours and (len(self._foreign) < _SCOPES or arrival.scope in self._foreign):
            self._foreign[arrival.scope].spans += 1
        faults = self._spans.observe(arrival, ours=ours, now=now)
        self._faults.add(faults)
        self._ring.observe(arrival, faulty=bool(faults))
        return TAKEN

    def _note_origin(self, origin: Origin, *, ours: bool) -> None:
        identity = origin.identity
        if identity not in self._origins and len(self._origins) < _PROCESSES:
            self._origins[identity] = origin
        if ours and identity in self._origins and identity not in self._judged:
            self._judged.add(identity)
            self._faults.add(_resource_faults(origin))

    def _all_faults(self, now: float, *, ended: bool) -> Iterator[Counted]:
        yield from self._faults
        orphans = Faults()
        orphans.add(self._spans.orphans(now, ended=ended))
        yield from orphans

    def _foreign_rows(self) -> Iterator[ForeignRow]:
        for scope, held in sorted(self._foreign.items()):
            yield ForeignRow(scope or "(no name)", len(held.metrics), held.spans)


def _ours(arrival: Arrival) -> bool:
    """Whether it claims to be Loom's: by its scope, or a metric by its name."""
    names = [arrival.scope] if isinstance(arrival, SpanArrival) else [arrival.scope, arrival.name]
    return arrival.scope in scopes.ALL or any(name.startswith(f"{NAMESPACE}.") for name in names)


def _resource_faults(origin: Origin) -> Iterator[Fault]:
    for attribute in resource.ALL:
        if not origin.attributes.get(attribute.name):
            text = f"its resource has no {attribute.name}"
            yield Fault(Subject.RESOURCE, origin.service, text, attribute.description.rstrip("."))


def _process(origin: Origin) -> ProcessRow:
    named = (resource.SERVICE_VERSION.name, resource.ENVIRONMENT.name)
    return ProcessRow(
        origin.service, origin.identity.instance, *(str(origin.attributes.get(x, "")) for x in named)
    )


def _silence() -> tuple[Fault, ...]:
    """The one finding that explains all the others, when nothing came from Loom at all."""
    hint = "the program must set up Loom's telemetry, and flush it before it ends"
    return (Fault(Subject.RECEIVER, "otlp", "nothing has arrived from Loom", hint),)
