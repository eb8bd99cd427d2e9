"""Tallies, families, budgets, and how they are exported."""

from bisect import bisect_left
from time import time_ns

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract import attributes as a
from loom.contract import metrics
from loom.contract.attribute import OVERFLOW_VALUE
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import action_broker, event_bus, router, tool_orchestrator
from loom.contract.metrics import telemetry as own
from loom.contract.spans import event_bus as spans
from loom.telemetry import Telemetry
from loom.telemetry.capture import Capture
from loom.telemetry.tally import SHOWN, Distribution


@given(st.lists(st.integers(0, 2_000_000_000)))
def test_a_distribution_counts_each_value_in_the_bucket_below_its_bound(values: list[int]) -> None:
    bounds = tuple(round(bound * 1e9) for bound in event_bus.PUBLISH_LATENCY.boundaries)
    distribution = Distribution(bounds)
    for value in values:
        distribution.add(value)
    expected = [0] * (len(bounds) + 1)
    for value in values:
        expected[next((i for i, bound in enumerate(bounds) if value <= bound), len(bounds))] += 1
    assert distribution.counts == expected
    assert distribution.total == sum(values)
    assert distribution.measurements == len(values)


def test_durations_arrive_in_seconds_with_the_documented_boundaries(captured: Capture) -> None:
    latency = captured.telemetry.histogram(event_bus.PUBLISH_LATENCY).series("orders", "batched")
    latency.add(1_000)
    latency.add(1_001)
    latency.add(2_000_000_000)
    point = captured.histogram(event_bus.PUBLISH_LATENCY, "orders", "batched")
    assert point.explicit_bounds == event_bus.PUBLISH_LATENCY.boundaries
    assert list(point.bucket_counts)[:3] == [1, 1, 0]
    assert point.bucket_counts[-1] == 1
    assert point.count == 3
    assert point.sum == pytest.approx(2.000002001)


def test_other_histograms_are_recorded_in_their_own_unit(captured: Capture) -> None:
    captured.telemetry.histogram(router.CONFIDENCE).series("Local").add(0.95)
    point = captured.histogram(router.CONFIDENCE, "Local")
    bucket = bisect_left(router.CONFIDENCE.boundaries, 0.95)
    assert point.bucket_counts[bucket] == 1
    assert point.sum == 0.95


def test_a_sampled_measurement_becomes_an_exemplar_that_leads_to_its_trace(captured: Capture) -> None:
    latency = captured.telemetry.histogram(event_bus.PUBLISH_LATENCY).series("orders", "batched")
    with captured.telemetry.span(spans.SUBSCRIBE, {}) as span:
        latency.add_sampled(3_000, span.get_span_context())
    latency.add(4_000)
    (exemplar,) = captured.histogram(event_bus.PUBLISH_LATENCY, "orders", "batched").exemplars
    assert exemplar.value == 3e-6
    assert (exemplar.trace_id, exemplar.span_id) == (
        span.get_span_context().trace_id,
        span.get_span_context().span_id,
    )


def test_the_latest_exemplar_of_a_bucket_is_in_every_export_until_it_is_old() -> None:
    captured = Capture()
    latency = captured.telemetry.histogram(event_bus.PUBLISH_LATENCY).series("orders", "batched")

    def values() -> list[float]:
        point = captured.histogram(event_bus.PUBLISH_LATENCY, "orders", "batched")
        return [exemplar.value for exemplar in point.exemplars]

    with captured.telemetry.span(spans.SUBSCRIBE, {}) as span:
        context = span.get_span_context()
        latency.add_sampled(3_000, context)
        latency.add_sampled(5_000_000, context)
    assert values() == [3e-6, 5e-3]
    # Whoever asks less often than we export sees it too.
    assert values() == [3e-6, 5e-3]
    latency.add_sampled(2_900, context)
    assert values() == [2.9e-6, 5e-3]
    last = max(sample.time for sample in latency.latest_samples(time_ns()))
    assert [sample.value for sample in latency.latest_samples(last + SHOWN)] == [2_900]
    assert latency.latest_samples(last + SHOWN + 1) == []
    captured.telemetry.shutdown()


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_every_metric_of_the_contract_can_be_recorded_and_arrives_as_it_is_written(
    metric: Metric, captured: Capture
) -> None:
    labels = [attribute.values[0] if attribute.values else "some" for attribute in metric.attributes]
    if metric.kind is Kind.HISTOGRAM:
        captured.telemetry.histogram(metric).series(*labels).add(1)
    elif metric is own.ATTRIBUTE_OVERFLOW:
        for number in range(a.TOOL.limit):
            captured.telemetry.counter(tool_orchestrator.TOOL_ERRORS).series(f"tool-{number}", "E")
    elif metric.scope != own.ATTRIBUTE_OVERFLOW.scope:
        captured.telemetry.counter(metric).series(*labels).n += 3
    found = captured.metrics()[metric.scope, metric.name]
    assert (found.unit, found.description) == (metric.unit, metric.description)
    kinds = {
        Kind.COUNTER: "Sum",
        Kind.UP_DOWN_COUNTER: "Sum",
        Kind.GAUGE: "Gauge",
        Kind.OBSERVABLE_GAUGE: "Gauge",
        Kind.HISTOGRAM: "Histogram",
    }
    assert type(found.data).__name__ == kinds[metric.kind]
    if metric.kind in {Kind.COUNTER, Kind.UP_DOWN_COUNTER}:
        assert getattr(found.data, "is_monotonic", None) is (metric.kind is Kind.COUNTER)


def test_a_value_outside_its_closed_set_is_refused(captured: Capture) -> None:
    with pytest.raises(ValueError, match="qos is one of realtime, batched, background, not 'soon'"):
        captured.telemetry.gauge(event_bus.ACTIVE_SUBSCRIPTIONS).series("soon")


def test_closed_sets_are_reported_as_zero_from_the_start(captured: Capture) -> None:
    captured.telemetry.gauge(action_broker.REGISTERED_CAPABILITIES)
    values = captured.values(action_broker.REGISTERED_CAPABILITIES)
    assert values == {(kind,): 0 for kind in a.PROVIDER_TYPE.values}


@given(st.lists(st.integers(0, 400), max_size=600))
def test_past_its_budget_an_attribute_is_recorded_as_other_and_nothing_is_lost(values: list[int]) -> None:
    captured = Capture()
    counter = captured.telemetry.counter(action_broker.CACHE_HITS)
    for value in values:
        counter.series(f"capability-{value}").n += 1
    recorded = captured.values(action_broker.CACHE_HITS)
    distinct = len(set(values))
    assert sum(recorded.values()) == len(values)
    assert len(recorded) == min(distinct, a.CAPABILITY.limit)
    overflow = captured.value(own.ATTRIBUTE_OVERFLOW, action_broker.CACHE_HITS.name, a.CAPABILITY.name)
    assert overflow == recorded.get((OVERFLOW_VALUE,), 0)
    captured.telemetry.shutdown()


def test_a_budget_is_shared_so_that_labels_of_different_metrics_join(captured: Capture) -> None:
    counter = captured.telemetry.counter(action_broker.CACHE_HITS)
    for number in range(a.CAPABILITY.budget):
        counter.series(f"capability-{number}")
    captured.telemetry.counter(action_broker.TIMEOUTS).series("late").n += 1
    assert captured.values(action_broker.TIMEOUTS) == {(OVERFLOW_VALUE,): 1}


def test_many_more_attribute_sets_than_the_sdk_s_own_limit_arrive(captured: Capture) -> None:
    counter = captured.telemetry.counter(action_broker.ERRORS)
    for capability in range(100):
        for code in range(40):
            counter.series(f"c{capability}", f"e{code}").n += 1
    assert len(captured.values(action_broker.ERRORS)) == 4000


def test_disabled_telemetry_counts_and_exports_nothing() -> None:
    telemetry = Telemetry.disabled()
    telemetry.counter(action_broker.TIMEOUTS).series("late").n += 1
    with telemetry.span(spans.SUBSCRIBE, {}) as span:
        span.fail("never seen")
    assert not span.is_recording()
    assert telemetry.flush()
    assert telemetry.shutdown()
    assert telemetry.ledger.created == 0


def test_a_histogram_is_no_counter_and_a_counter_no_histogram(captured: Capture) -> None:
    with pytest.raises(ValueError, match="is a histogram"):
        captured.telemetry.counter(event_bus.PUBLISH_LATENCY)
    with pytest.raises(ValueError, match="is no histogram"):
        captured.telemetry.histogram(event_bus.PUBLISHED)
