"""Recorded series: what rules compute ahead, so that alerts and panels over long windows stay cheap.

Names follow Prometheus' `level:metric:operations`. The level is `job`: every recorded series keeps the
service and the environment, and drops the instance. All is built from the contract under one naming rule.
"""

from dataclasses import dataclass

from loom.contract import scopes
from loom.contract.attribute import Attribute
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import ALL, action_broker, agent, mcp_manager, tool_orchestrator
from loom.contract.naming import Naming
from loom.contract.promql import Expression, Matcher, Queries, aggregate, ratio, select
from loom.contract.resource import ENVIRONMENT_LABEL, JOB
from loom.contract.series import Series

LEVEL = (JOB, ENVIRONMENT_LABEL)
"""Labels that every recorded series keeps."""
BASE_WINDOW = "5m"
"""Window of the rates that everything longer is summed up from."""
QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule."""

    series: Series
    expression: Expression
    labels: tuple[tuple[str, str], ...] = ()
    """Labels that the rule puts on what it records, besides those of the expression."""


@dataclass(frozen=True, slots=True)
class Group:
    """Recording rules that are evaluated one after another, at the same moment."""

    name: str
    recordings: tuple[Recording, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Which share of a counter counts as failed: everything whose attribute is not `good`."""

    metric: Metric
    attribute: Attribute
    good: tuple[str, ...]

    @property
    def matcher(self) -> Matcher:
        """Selects the failed part."""
        if len(self.good) == 1:
            return Matcher(self.attribute.label, "!=", self.good[0])
        return Matcher(self.attribute.label, "!~", "|".join(self.good))


INVOCATIONS = Failure(action_broker.INVOCATIONS, action_broker.INVOCATIONS.attribute("status"), ("ok",))
TOOL_CALLS = Failure(tool_orchestrator.TOOL_CALLS, tool_orchestrator.TOOL_CALLS.attribute("status"), ("ok",))
FAILURES = (
    INVOCATIONS,
    # An event that expired, or that a policy deferred or dropped, was not handled badly.
    Failure(
        agent.EVENTS_PROCESSED,
        agent.EVENTS_PROCESSED.attribute("outcome"),
        ("ok", "expired", "deferred", "dropped"),
    ),
    Failure(agent.ACTIONS_EXECUTED, agent.ACTIONS_EXECUTED.attribute("status"), ("ok",)),
    Failure(mcp_manager.RECONNECTIONS, mcp_manager.RECONNECTIONS.attribute("outcome"), ("ok",)),
    TOOL_CALLS,
    Failure(tool_orchestrator.RUNS, tool_orchestrator.RUNS.attribute("outcome"), ("answered",)),
)


def groups(naming: Naming) -> tuple[Group, ...]:
    """Every recording rule but those of the objectives, a group for each component."""
    components = [_component(naming, scope) for scope in scopes.ALL]
    return tuple(group for group in components if group.recordings)


def rate(naming: Naming, metric: Metric) -> Recording:
    """Per-second rate over five minutes of a counter, by service and by its attributes with a closed set."""
    labels = (*LEVEL, *closed(metric))
    expression = Queries(naming, window=BASE_WINDOW).rate(metric, by=labels)
    return Recording(Series(_name(naming, metric, f"rate{BASE_WINDOW}"), labels), expression)


def latency(naming: Naming, metric: Metric, quantile: float) -> Recording:
    """A quantile over five minutes of a histogram, by service; seconds."""
    operation = f"p{quantile * 100:g}_rate{BASE_WINDOW}"
    expression = Queries(naming, window=BASE_WINDOW).quantile(quantile, metric, by=LEVEL)
    return Recording(Series(_name(naming, metric, operation), LEVEL), expression)


def failure_ratio(naming: Naming, failure: Failure) -> Recording:
    """Share of a counter that failed within five minutes, by service; 0 to 1, empty without traffic."""
    source = rate(naming, failure.metric).series
    part = aggregate("sum", select(source, (failure.matcher,)), by=LEVEL)
    expression = ratio(part, aggregate("sum", select(source), by=LEVEL))
    return Recording(
        Series(_name(naming, failure.metric, f"failure_ratio_rate{BASE_WINDOW}"), LEVEL), expression
    )


def closed(metric: Metric) -> tuple[str, ...]:
    """Labels of the metric's attributes that have a closed set of values."""
    return tuple(attribute.label for attribute in metric.attributes if attribute.values)


def series(naming: Naming) -> tuple[Series, ...]:
    """Every recorded series but those of the objectives."""
    return tuple(recording.series for group in groups(naming) for recording in group.recordings)


def _component(naming: Naming, scope: str) -> Group:
    metrics = [metric for metric in ALL if metric.scope == scope]
    rates = [rate(naming, metric) for metric in metrics if metric.kind is Kind.COUNTER]
    quantiles = [
        latency(naming, metric, quantile)
        for metric in metrics
        if metric.kind is Kind.HISTOGRAM and metric.unit == "s"
        for quantile in QUANTILES
    ]
    ratios = [failure_ratio(naming, failure) for failure in FAILURES if failure.metric in metrics]
    return Group(scope, (*rates, *quantiles, *ratios))


def _name(naming: Naming, metric: Metric, operation: str) -> str:
    return f"{JOB}:{naming.base(metric).removesuffix('_total')}:{operation}"
