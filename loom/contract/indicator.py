"""Service level indicators: which of the things that happen count, and which of those went badly.

Each is two expressions over the contract's own series, bad and total, per second over five minutes, with the
same labels; their ratio is the share that failed. What is measured in time counts seconds in place of events.
"""

from collections.abc import Callable
from dataclasses import dataclass

from loom.contract import attributes as a
from loom.contract import canary, foreign, scopes
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import action_broker, event_bus
from loom.contract.naming import Naming
from loom.contract.promql import Expression, Matcher, Queries, aggregate, binary, either, now, scalar, select
from loom.contract.recording import BASE_WINDOW, INVOCATIONS, LEVEL, TOOL_CALLS, Failure
from loom.contract.resource import JOB
from loom.contract.series import Part


@dataclass(frozen=True, slots=True)
class Events:
    """What happened, per second."""

    bad: Expression
    total: Expression
    """Everything, the bad included; 0 where nothing happens."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One service level indicator."""

    name: str
    """Value of the label `slo`: `invoke_success`."""
    goal: str
    """What should be, as words that `of the objective` can follow: `invocations succeed`."""
    component: str
    """The instrumentation scope, or the program, that it is about."""
    labels: tuple[str, ...]
    """Labels of both expressions."""
    events: Callable[[Naming], Events]
    """Both expressions, under a naming rule."""
    timed: bool = False
    """Whether it counts seconds: of those there are always as many, but of some nothing may be known."""


ROOM = Matcher(a.DROP_REASON.label, "=~", "queue_full|backpressure")
"""Drops that mean too little room; the other reasons are no fault of the bus."""


def failing(failure: Failure) -> Callable[[Naming], Events]:
    """A counter, of which the attribute says what failed."""

    def build(naming: Naming) -> Events:
        queries = Queries(naming, window=BASE_WINDOW)
        total = queries.rate(failure.metric, LEVEL)
        bad = queries.matching(failure.matcher).rate(failure.metric, LEVEL)
        return Events(_or_none(bad, total), total)

    return build


def dropped(naming: Naming) -> Events:
    """Deliveries of events, and those that found no room."""
    queries = Queries(naming, window=BASE_WINDOW)
    delivered = queries.rate(event_bus.DELIVERED, LEVEL)
    lost = queries.matching(ROOM).rate(event_bus.DROPPED, LEVEL)
    bad = _or_none(lost, delivered)
    return Events(bad, binary(bad, "+", _or_none(delivered, lost)))


def slow(metric: Metric, seconds: float) -> Callable[[Naming], Events]:
    """A histogram, of which everything above one of its boundaries is bad; ValueError for another number."""
    if metric.kind is not Kind.HISTOGRAM or seconds not in metric.boundaries:
        message = f"{seconds:g} is no boundary of {metric.name}"
        raise ValueError(message)

    def build(naming: Naming) -> Events:
        queries = Queries(naming, window=BASE_WINDOW)
        total = queries.rate(metric, LEVEL)
        fast = queries.matching(bound(seconds))
        good = fast.rate_of(naming.series(metric, Part.BUCKET), LEVEL)
        return Events(binary(total, "-", good), total)

    return build


def bound(seconds: float) -> Matcher:
    """Selects the bucket of a boundary: whole numbers are `1.0` when scraped, and `1` when pushed."""
    text = f"{seconds:g}"
    if seconds == int(seconds):
        return Matcher("le", "=~", f"{text}|{text}\\.0")
    return Matcher("le", "=", text)


def stale(within: float) -> Callable[[Naming], Events]:
    """Seconds during which the newest telemetry that was found in a store was older than that."""

    def build(naming: Naming) -> Events:
        del naming  # what the canary says about itself has one name everywhere
        newest = aggregate("max", select(canary.LAST_SUCCESS), by=(JOB, "signal"))
        old = binary(binary(now(), "-", newest), ">", scalar(within), "bool")
        return Events(old, binary(binary(newest, "*", scalar(0)), "+", scalar(1)))

    return build


def _or_none(left: Expression, right: Expression) -> Expression:
    """The left side, and 0 where only the right has something to say."""
    return either(left, binary(right, "*", scalar(0)))


DELIVERY = Indicator("delivery", "events are delivered", scopes.EVENT_BUS, LEVEL, dropped)
INVOKE_SUCCESS = Indicator(
    "invoke_success", "invocations succeed", scopes.ACTION_BROKER, LEVEL, failing(INVOCATIONS)
)
TOOL_SUCCESS = Indicator(
    "tool_success", "tool calls succeed", scopes.TOOL_ORCHESTRATOR, LEVEL, failing(TOOL_CALLS)
)


def invoke_latency(seconds: float) -> Indicator:
    """Invocations take no longer than a boundary of their histogram; ValueError for any other number."""
    goal = f"invocations end within {seconds:g} s"
    events = slow(action_broker.INVOKE_LATENCY, seconds)
    return Indicator("invoke_latency", goal, scopes.ACTION_BROKER, LEVEL, events)


def freshness(seconds: float) -> Indicator:
    """The newest telemetry in the stores is no older than that."""
    goal = f"telemetry is no older than {seconds:g} s"
    return Indicator("freshness", goal, foreign.JOB_CANARY, (JOB, "signal"), stale(seconds), timed=True)
