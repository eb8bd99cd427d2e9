"""METRICS.md: every metric and span, with queries that work under this profile's naming."""

from collections.abc import Iterator
from dataclasses import dataclass

from loom.contract import attributes as a
from loom.contract import foreign, resource, scopes, spans
from loom.contract.attribute import OVERFLOW_VALUE, Attribute
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import action_broker, agent_runtime, mcp_manager
from loom.contract.promql import Expression, Matcher, Queries, above, aggregate, call, ratio
from loom.contract.series import Part
from loom.contract.span import Span
from loom.deploy.artifacts.documents import traffic
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.rules import recorded
from loom.deploy.artifacts.template import fill
from loom.deploy.plan.model import Plan
from loom.deploy.plan.reduction import delivered

NAME = "METRICS.md"
_TOP = 5


@dataclass(frozen=True, slots=True)
class Example:
    """A query, and the question that it answers."""

    question: str
    query: Expression


@dataclass(frozen=True, slots=True)
class Entry:
    """A metric as the reference shows it."""

    metric: Metric
    series: tuple[str, ...]
    examples: tuple[Example, ...]


def artifact(plan: Plan) -> Artifact:
    """The document."""
    facts = {
        "profile": plan.profile,
        "naming": plan.naming,
        "first": first(plan),
        "load": traffic.load(plan),
        "components": [(scopes.TITLES[scope], _entries(plan, scope), _spans(scope)) for scope in scopes.ALL],
        "recorded": recorded(plan),
        "foreign_spans": foreign.SPANS,
        "resource": resource,
        "overflow": OVERFLOW_VALUE,
        "values": values,
        "parents": parents,
    }
    text = fill(f"documents/{NAME}.j2", **facts)
    return Artifact(NAME, text, "Every metric with type, unit, labels and working queries; every span.")


def first(plan: Plan) -> tuple[Example, ...]:
    """A count, which shows something at once; then the five queries of Loom's own documentation."""
    q = Queries(plan.naming)
    fine = q.matching(Matcher(a.CALL_STATUS.label, "=", "ok"))
    success = ratio(fine.rate(action_broker.INVOCATIONS), q.rate(action_broker.INVOCATIONS))
    by_server = q.value(mcp_manager.TOOLS_REGISTERED, (a.SERVER.label,))
    return (
        Example("Events published so far", traffic.counted(plan)),
        Example("Event throughput, events per second", traffic.rate(plan)),
        Example("p99 action invocation latency, seconds", q.quantile(0.99, action_broker.INVOKE_LATENCY)),
        Example("Active agents", q.value(agent_runtime.AGENTS_ACTIVE)),
        Example("Invocation success rate, 0 to 1; nothing without traffic", success),
        Example("MCP tools by server", by_server),
    )


def examples(plan: Plan, metric: Metric) -> tuple[Example, ...]:
    """Queries for one metric: the total, and what its first attribute says."""
    q = Queries(plan.naming)
    if metric.kind is Kind.HISTOGRAM:
        return tuple(_of_histogram(q, metric))
    if metric.kind is Kind.COUNTER:
        return tuple(_of_counter(q, metric))
    return tuple(_of_gauge(q, metric))


def _of_counter(q: Queries, metric: Metric) -> Iterator[Example]:
    yield Example("per second", q.rate(metric))
    for attribute in metric.attributes:
        if attribute.values:
            yield Example(f"per second, by {attribute.label}", q.rate(metric, (attribute.label,)))
        else:
            grown = above(q.over("1h").increase(metric, (attribute.label,)), 0)
            yield Example(f"the {_TOP} largest by {attribute.label}, last hour", call("topk", grown, _TOP))


def _of_histogram(q: Queries, metric: Metric) -> Iterator[Example]:
    yield Example("99th percentile", q.quantile(0.99, metric))
    for attribute in metric.attributes[:1]:
        yield Example(f"mean by {attribute.label}", q.mean(metric, (attribute.label,)))
    if not metric.attributes:
        yield Example("mean", q.mean(metric))
    if metric.unit.startswith("{"):
        total = q.naming.series(metric, Part.SUM)
        yield Example("total per second", q.rate_of(total))


def _of_gauge(q: Queries, metric: Metric) -> Iterator[Example]:
    yield Example("now", q.value(metric))
    for attribute in metric.attributes:
        yield Example(f"by {attribute.label}", q.value(metric, (attribute.label,)))
    highest = call("max_over_time", q.over("1h").select(q.naming.series(metric), ranged=True))
    yield Example("highest of any process, last hour", aggregate("max", highest))


def values(attribute: Attribute) -> str:
    """What an attribute may be: its values, or how many."""
    if attribute.values:
        return ", ".join(f"`{value}`" for value in attribute.values)
    return f"at most {attribute.budget} values" if attribute.budget else attribute.type


def parents(span: Span) -> str:
    """Under which spans a span hangs."""
    if not span.parents:
        return "any, or none"
    names = {one.key: f"`{one.name}`" for one in spans.ALL}
    return ", ".join(names.get(key, "any other") for key in span.parents)


def _entries(plan: Plan, scope: str) -> list[Entry]:
    return [
        Entry(
            metric,
            tuple(series.name for series in plan.naming.all_series(metric)),
            examples(plan, metric),
        )
        for metric in delivered(plan.profile)
        if metric.scope == scope
    ]


def _spans(scope: str) -> list[Span]:
    return [span for span in spans.ALL if span.scope == scope]
