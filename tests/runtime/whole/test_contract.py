"""One run of the whole emits the whole contract, exactly as it is written, and nothing else in our scopes."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Protocol

import pytest
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    NumberDataPoint,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as MetricPoints
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from loom.contract import attributes as a
from loom.contract import metrics, scopes
from loom.contract import spans as contract
from loom.contract.attribute import OVERFLOW_VALUE, Attribute
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import action_broker, agent_runtime, event_bus, mcp_manager
from loom.contract.metrics import telemetry as own
from loom.contract.span import Span
from loom.examples.expectation import Expectations
from loom.telemetry.version import VERSION

pytestmark = pytest.mark.slow

SPAN_TYPES: dict[str, type] = {"string": str, "int": int, "double": float, "boolean": bool}


class Story(Protocol):
    """The fixture of this folder."""

    metrics: dict[tuple[str, str], MetricPoints]
    spans: list[ReadableSpan]
    expected: Expectations
    created: int
    lost: dict[str, int]


Point = NumberDataPoint | HistogramDataPoint


def points(story: Story, metric: Metric) -> Iterator[Point]:
    found = story.metrics.get((metric.scope, metric.name))
    for point in found.data.data_points if found else ():
        assert isinstance(point, NumberDataPoint | HistogramDataPoint)
        yield point


def count(point: Point) -> float:
    return point.count if isinstance(point, HistogramDataPoint) else point.value


def total(story: Story, metric: Metric) -> float:
    return sum(count(point) for point in points(story, metric))


def defined(span: ReadableSpan) -> Span:
    """The contract's own definition; StopIteration when there is none."""
    scope = span.instrumentation_scope
    assert scope is not None
    return next(each for each in contract.ALL if each.scope == scope.name and each.matches(span.name))


def ours(story: Story) -> list[ReadableSpan]:
    return [span for span in story.spans if span.instrumentation_scope.name in scopes.ALL]  # type: ignore[union-attr] # every span has a scope


def test_everything_went_as_the_tours_expect(story: Story) -> None:
    assert story.expected.unmet == []
    assert story.expected.met > 10


def test_every_metric_arrives_in_its_scope_and_no_other(story: Story) -> None:
    assert set(story.metrics) == {(metric.scope, metric.name) for metric in metrics.ALL}


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_a_metric_has_the_kind_unit_and_description_of_the_contract(story: Story, metric: Metric) -> None:
    found = story.metrics[metric.scope, metric.name]
    assert (found.unit, found.description) == (metric.unit, metric.description)
    data = found.data
    if metric.kind is Kind.HISTOGRAM:
        assert isinstance(data, Histogram)
        assert {tuple(point.explicit_bounds) for point in data.data_points} == {metric.boundaries}
    elif metric.kind in {Kind.COUNTER, Kind.UP_DOWN_COUNTER}:
        assert isinstance(data, Sum)
        assert data.is_monotonic is (metric.kind is Kind.COUNTER)
    else:
        assert isinstance(data, Gauge)


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_a_series_has_exactly_the_attributes_of_the_contract_with_values_it_knows(
    story: Story, metric: Metric
) -> None:
    conditional = {attribute.name for attribute in metric.conditional}
    names = {attribute.name for attribute in metric.attributes}
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for point in points(story, metric):
        attributes = dict(point.attributes or {})
        assert names - conditional <= set(attributes) <= names
        for name, value in attributes.items():
            assert isinstance(value, str)
            seen[name].add(value)
    for attribute in metric.attributes:
        assert not attribute.values or seen[attribute.name] <= set(attribute.values)
        assert len(seen[attribute.name]) <= attribute.limit + (attribute in metric.conditional)


def unseen(story: Story, metric: Metric) -> set[tuple[str, str]]:
    """Values of closed sets that no measurement had; a gauge has measured where it has a series."""
    level = metric.kind not in {Kind.COUNTER, Kind.HISTOGRAM}
    measured = [point.attributes or {} for point in points(story, metric) if level or count(point)]
    return {
        (attribute.name, value)
        for attribute in metric.attributes
        for value in attribute.values
        if not any(labels.get(attribute.name) == value for labels in measured)
    }


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_a_metric_measures_something_and_each_value_of_each_closed_set(story: Story, metric: Metric) -> None:
    assert any(True for _ in points(story, metric))
    assert metric.kind not in {Kind.COUNTER, Kind.HISTOGRAM} or total(story, metric) > 0
    assert unseen(story, metric) == set()


def test_a_budget_was_spent_and_its_overflow_counted(story: Story) -> None:
    overflown = {tuple((point.attributes or {}).values()) for point in points(story, own.ATTRIBUTE_OVERFLOW)}
    assert overflown == {(action_broker.ERRORS.name, a.ERROR_CODE.name)}
    codes = {(point.attributes or {})[a.ERROR_CODE.name] for point in points(story, action_broker.ERRORS)}
    assert OVERFLOW_VALUE in codes


@pytest.mark.parametrize("metric", [each for each in metrics.ALL if each.kind is Kind.HISTOGRAM], ids=str)
def test_the_boundaries_of_a_histogram_tell_its_measurements_apart(story: Story, metric: Metric) -> None:
    """Not all in the first bucket, and not all behind the last."""
    buckets: Counter[int] = Counter()
    for point in points(story, metric):
        assert isinstance(point, HistogramDataPoint)
        for number, measured in enumerate(point.bucket_counts):
            buckets[number] += measured
    assert sum(buckets.values()) > buckets[0] + buckets[len(metric.boundaries)]


def test_every_span_arrives_and_no_other_in_our_scopes(story: Story) -> None:
    assert {defined(span).key for span in ours(story)} == {span.key for span in contract.ALL}


@pytest.mark.parametrize("definition", contract.ALL, ids=lambda definition: definition.key)
def test_a_span_has_the_kind_and_exactly_the_attributes_of_the_contract(
    story: Story, definition: Span
) -> None:
    known: dict[str, Attribute] = {
        each.name: each for each in (*definition.attributes, *definition.optional, a.ERROR_TYPE, a.ERROR_CODE)
    }
    required = {attribute.name for attribute in definition.attributes}
    optional = {attribute.name for attribute in definition.optional}
    failures = {a.ERROR_TYPE.name, a.ERROR_CODE.name}
    for span in (each for each in ours(story) if defined(each) is definition):
        assert span.kind.name.lower() == definition.kind
        assert span.instrumentation_scope is not None
        assert span.instrumentation_scope.version == VERSION
        attributes = dict(span.attributes or {})
        failed = span.status.status_code is StatusCode.ERROR
        assert failed or span.status.status_code is StatusCode.OK
        assert (a.ERROR_TYPE.name in attributes) is failed
        assert required <= set(attributes) <= required | optional | (failures if failed else set())
        for name, value in attributes.items():
            assert isinstance(value, SPAN_TYPES[known[name].type]), name
            assert isinstance(value, bool) is (known[name].type == "boolean"), name
            assert not known[name].values or value in known[name].values
        if definition.suffix:
            assert span.name == f"{definition.name} {attributes[definition.suffix.name]}"


def test_a_span_hangs_where_the_contract_says(story: Story) -> None:
    by_id = {span.context.span_id: span for span in story.spans if span.context}
    for span in ours(story):
        parents = defined(span).parents
        if not parents or (span.parent is None and "" in parents):
            continue
        assert span.parent is not None, span.name
        parent = by_id[span.parent.span_id]
        assert parent.context.trace_id == span.context.trace_id
        assert "" in parents or defined(parent).key in parents


def test_every_value_of_a_closed_set_is_seen_on_a_span(story: Story) -> None:
    seen: defaultdict[str, set[object]] = defaultdict(set)
    for span in ours(story):
        for name, value in (span.attributes or {}).items():
            seen[name].add(value)
    for definition in contract.ALL:
        for attribute in definition.attributes:
            assert set(attribute.values) <= seen[attribute.name], (definition.key, attribute.name)


def test_after_the_end_every_gauge_is_at_zero_and_every_pair_of_counters_balances(story: Story) -> None:
    gauges = (
        event_bus.ACTIVE_SUBSCRIPTIONS,
        event_bus.BACKLOG,
        action_broker.REGISTERED_CAPABILITIES,
        agent_runtime.AGENTS_ACTIVE,
        mcp_manager.SERVERS_ACTIVE,
        mcp_manager.TOOLS_REGISTERED,
    )
    level = {metric for metric in metrics.ALL if metric.kind not in {Kind.COUNTER, Kind.HISTOGRAM}}
    assert set(gauges) == level
    assert [metric for metric in gauges for point in points(story, metric) if count(point)] == []
    for begun, ended in (
        (agent_runtime.AGENTS_CREATED, agent_runtime.AGENTS_DELETED),
        (agent_runtime.SUBSCRIPTIONS, agent_runtime.UNSUBSCRIPTIONS),
        (mcp_manager.SERVERS_CONNECTED, mcp_manager.SERVERS_DISCONNECTED),
    ):
        assert total(story, begun) == total(story, ended) > 0


def test_every_span_is_accounted_for_the_lost_ones_by_reason(story: Story) -> None:
    assert set(story.lost) == set(a.LOST_REASON.values)
    assert all(story.lost.values())
    assert total(story, own.SPANS_CREATED) == story.created
    assert total(story, own.SPANS_EXPORTED) == len(story.spans)
    assert total(story, own.SPANS_LOST) == sum(story.lost.values())
    assert story.created == len(story.spans) + sum(story.lost.values())


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_no_metric_has_an_attribute_without_bounds(metric: Metric) -> None:
    assert all(attribute.limit for attribute in metric.attributes)
    assert metric.name.startswith((f"{metric.scope}.", "gen_ai."))
    assert metric.unit
