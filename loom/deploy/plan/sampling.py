"""Tail sampling: what one decider holds while it waits, and what is refused since it could not work."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from loom.deploy.plan import topology
from loom.deploy.plan.estimate import SPANS_PER_EVENT, queue_seconds, queued_bytes
from loom.deploy.plan.finding import at, human, span, written
from loom.deploy.plan.layout import limiter
from loom.deploy.plan.model import Plan, Service
from loom.deploy.profile.model import Profile
from loom.deploy.profile.sampling import Tail
from loom.errors import Problem

SPAN_BYTES_HELD = 1536
"""A span of an undecided trace, with spans of the contract: 1,000 live were measured, 1,460 resident."""
DECISION_BYTES = 256
"""A remembered decision; measured 185."""
_SPREAD = 2
"""Times its even share that one decider must be able to hold: real shares are uneven, and loads peak."""
_LEAST = 1000
_MEMORY = 10
"""Decisions remembered for each trace held: spans that come late follow the decision on the others."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one collector that decides holds at the most."""

    traces: int
    decisions: int
    """Of either kind, kept and dropped."""
    traces_per_second: int
    """New ones, at the load that the profile expects."""

    @property
    def bytes(self) -> int:
        """Memory, all of it full."""
        return self.traces * SPANS_PER_EVENT * SPAN_BYTES_HELD + 2 * self.decisions * DECISION_BYTES


def deciders(profile: Profile) -> tuple[Service, ...]:
    """The collectors that decide; none without tail sampling."""
    return tuple(one for one in topology.collectors(profile) if topology.duty(profile, one).decides)


def held(profile: Profile, tail: Tail) -> Held:
    """What one of the deciders holds: an event is a trace at the most."""
    rate = profile.workload.events_per_second / max(1, len(deciders(profile)))
    # A decision comes with a tick of one second.
    traces = max(_LEAST, ceil(rate * (tail.wait.seconds + 1) * _SPREAD))
    return Held(traces, traces * _MEMORY, max(1, ceil(rate)))


def hold_seconds(profile: Profile) -> float:
    """How long after its first span a trace reaches Jaeger, at the most; 0 without tail sampling."""
    tail = profile.tracing.tail
    return tail.wait.seconds + 1 if tail else 0.0


def exclusive(plan: Plan) -> Iterator[Problem]:
    """What the head has dropped the tail cannot keep."""
    tracing = plan.profile.tracing
    if tracing.tail is not None and tracing.sampler.text != "always_on":
        message = f"{tracing.sampler} beside tracing.tail: of what it drops, errors too, the tail never hears"
        yield at(
            plan.profile, "tracing.sampler", message, "write always_on, or tail: null", ("tracing.tail",)
        )


def placed(plan: Plan) -> Iterator[Problem]:
    """Whoever decides must see whole traces; and samplers must have something to decide."""
    shape, tail = plan.profile.collector, plan.profile.tracing.tail
    if tail is None:
        if shape.topology == "tiered":
            message = "tiered is for tail sampling, and tracing.tail is not there"
            yield at(plan.profile, "collector.topology", message, "write tracing.tail, or gateway here")
    elif len(deciders(plan.profile)) > 1 and shape.topology != "tiered":
        message = f"{shape.replicas} collectors would each decide on the part of a trace that they see"
        yield at(plan.profile, "collector.topology", message, "write tiered, or replicas: 1")


def timed(plan: Plan) -> Iterator[Problem]:
    """A decision must come after what it is about."""
    tail = plan.profile.tracing.tail
    if tail is None:
        return
    if tail.slow is not None and tail.slow >= tail.wait:
        message = f"a run of {tail.slow} is not over when its trace is decided, after {tail.wait}"
        yield at(plan.profile, "tracing.tail.slow", message, "lower it, or raise tracing.tail.wait")
    if tail.after_root is not None and tail.after_root >= tail.wait:
        message = f"{tail.after_root} after the root is never sooner than {tail.wait} after the first span"
        yield at(plan.profile, "tracing.tail.after_root", message, "lower it, or remove it")
    if tail.wait.seconds < 1:
        message = f"{tail.wait}: decisions are taken once a second"
        yield at(plan.profile, "tracing.tail.wait", message, "write at least 1s")
    if tail.ratio == 1 and tail.spans_per_second is None:
        yield at(plan.profile, "tracing.tail.ratio", "1 keeps every trace", "lower it, or write tail: null")


def fits(plan: Plan) -> Iterator[Problem]:
    """Undecided traces lie in memory, beside a queue that may be there too."""
    profile, tail = plan.profile, plan.profile.tracing.tail
    found = deciders(profile)
    if tail is None or not found:
        return
    bounds, own = limiter(plan.container(found[0]).memory_mib), held(profile, tail)
    queue = queued_bytes(profile, found[0]) if profile.collector.queue.storage == "memory" else 0
    room, needed = (bounds.limit_mib - bounds.spike_mib) * 2**20, own.bytes + queue
    if needed > room:
        message = (
            f"{own.traces:,} traces held for {span(tail.wait.seconds)}, {2 * own.decisions:,} decisions"
            f"{' and a full queue' if queue else ''} take about {human(needed)}, more than {found[0]}'s"
            f" memory, limit less spike, has: {human(room)}"
        )
        where = "memory.sampler" if found[0].role is Service.SAMPLER else "collector.memory"
        hint = f"lower it or workload.events_per_second, or raise {where} or collector.samplers"
        causes = (where, "collector.samplers", "collector.queue.size", "workload.events_per_second")
        yield at(profile, "tracing.tail.wait", message, hint, causes)


def unused(plan: Plan) -> Iterator[Problem]:
    """A number of collectors that the topology does not know."""
    shape, topo = plan.profile.collector, plan.profile.collector.topology
    if topo == "gateway" and shape.replicas == 1:
        message = "a gateway of one replica is single"
        yield at(plan.profile, "collector.replicas", message, "write at least 2, or topology: single")
    if topo in {"single", "split"} and shape.replicas > 1:
        message = f"{shape.replicas} replicas while collector.topology is {topo}"
        yield at(plan.profile, "collector.replicas", message, "write topology: gateway, or remove it")
    if topo != "tiered" and written(plan.profile, "collector.samplers"):
        message = f"has no effect while collector.topology is {topo}"
        yield at(plan.profile, "collector.samplers", message, "remove it; null removes what a base says")


def delivered(plan: Plan) -> Iterator[Problem]:
    """Of several collectors each would show its own last value of the same series."""
    metrics = plan.profile.metrics
    if len(topology.collectors(plan.profile)) > 1 and metrics.delivery == "scrape":
        message = (
            "scrape with several collectors: each would go on showing the last value it saw of a series that"
            " others have since been sent"
        )
        yield at(plan.profile, "metrics.delivery", message, "write otlp")


def remarks(plan: Plan) -> Iterator[Problem]:
    """What the loss of one sampler means for all traces."""
    profile = plan.profile
    if profile.collector.topology == "tiered":
        message = (
            "while one sampler is away all traces wait: the collectors' queues are full after about"
            f" {span(queue_seconds(profile))}, and what a sampler had not decided on is lost with it"
        )
        hint = "raise collector.queue.size for longer; a sampler that ends is started anew at once"
        yield at(profile, "collector.topology", message, hint)


CHECKS = (exclusive, placed, timed, fits, unused, delivered)
