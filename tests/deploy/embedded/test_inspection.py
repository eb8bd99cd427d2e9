"""What arrives is compared with the contract, in both directions, in whatever order it comes."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.contract import attributes as a
from loom.contract import foreign, metrics, resource, scopes, spans
from loom.contract.coverage import OCCASIONAL
from loom.contract.metric import Metric
from loom.contract.metrics import action_broker, agent_runtime, event_bus, gen_ai, mcp_manager
from loom.contract.metrics import telemetry as own
from loom.contract.span import Span
from loom.deploy.embedded import Inspection, Report, document, require
from loom.deploy.embedded.inspection import Budget
from loom.deploy.embedded.report import State
from loom.receiver.arrival import DELTA, Arrival, Identity, Origin, Shape

# A type of conftest, which test modules cannot import.
Make = Any


def inspect(*arrivals: Arrival, wanted: str = "emitted", ended: bool = True) -> Report:
    inspection = Inspection()
    for arrival in arrivals:
        inspection.observe(arrival, 0.0)
    return inspection.report(require([wanted]), now=0.0, ended=ended)


def faults(*arrivals: Arrival) -> list[str]:
    return [f"{each.fault.name}: {each.fault.text}" for each in inspect(*arrivals).faults]


def test_a_run_that_shows_the_whole_contract_is_complete_and_has_no_problem(make: Make) -> None:
    report = inspect(*make.whole_contract(), wanted="all")
    assert [str(problem) for problem in report.problems] == []
    assert report.percent == 100
    assert report.good


@pytest.mark.parametrize("metric", [metric for metric in metrics.ALL if metric not in OCCASIONAL])
def test_a_metric_that_was_forgotten_is_named(make: Make, metric: Metric) -> None:
    arrivals = [each for each in make.whole_contract() if getattr(each, "name", "") != metric.name]
    for wanted in ("all", "emitted", metric.scope, metric.name):
        report = inspect(*arrivals, wanted=wanted)
        assert [each.name for each in report.absent] == [metric.name], wanted
        assert not report.good


@pytest.mark.parametrize("span", spans.ALL)
def test_a_span_that_was_forgotten_is_named(make: Make, span: Span) -> None:
    gone = [
        each for each in make.whole_contract() if getattr(each, "operation", "") and span.scope == each.scope
    ]
    gone = [each for each in gone if span.matches(each.operation)]
    report = inspect(*(each for each in make.whole_contract() if each not in gone), wanted="all")
    assert span.key in [each.name for each in report.absent]


def test_a_value_of_a_closed_set_that_was_never_seen_is_named_only_where_all_is_asked_for(make: Make) -> None:
    arrivals = [
        each
        for each in make.whole_contract()
        if getattr(each, "name", "") != event_bus.PUBLISHED.name
        or each.points[0].attributes[a.QOS.name] != "background"
    ]
    missing = [f"{each.name} {each.text}" for each in inspect(*arrivals, wanted="all").absent]
    assert missing == [f"{event_bus.PUBLISHED.name} has not been seen with qos=background"]
    row = next(row for row in inspect(*arrivals).metrics if row.name == event_bus.PUBLISHED.name)
    assert row.state is State.PARTLY
    assert inspect(*arrivals).good


def test_a_healthy_component_needs_no_failures_when_only_what_is_emitted_is_asked_for(make: Make) -> None:
    names = {metric.name for metric in OCCASIONAL}
    healthy = [each for each in make.whole_contract() if getattr(each, "name", "") not in names]
    assert inspect(*healthy, wanted="emitted").good
    assert not inspect(*healthy, wanted="all").good


def test_what_no_component_emits_is_not_asked_for_with_emitted(make: Make) -> None:
    bus = [each for each in make.whole_contract() if each.scope == scopes.EVENT_BUS]
    assert inspect(*bus, wanted="emitted").good
    assert {each.name.split("/")[0].rpartition(".")[0] for each in inspect(*bus, wanted="all").absent}


def test_silence_is_one_problem_not_a_hundred() -> None:
    report = inspect(wanted="all")
    assert [each.text for each in report.absent] == ["nothing has arrived from Loom"]


BROKEN: dict[str, tuple[Metric, dict[str, Any], str]] = {
    "an unknown metric": (
        event_bus.PUBLISHED,
        {"name": "loom.event_bus.publish_total"},
        "is not in the contract",
    ),
    "a wrong unit": (event_bus.PUBLISH_LATENCY, {"unit": "ms"}, "its unit is 'ms', not 's'"),
    "another scope": (
        event_bus.PUBLISHED,
        {"scope": "loom.router"},
        "by scope 'loom.router', not 'loom.event_bus'",
    ),
    "a gauge": (event_bus.PUBLISHED, {"shape": Shape.GAUGE}, "it is a gauge, not a sum"),
    "delta": (event_bus.PUBLISHED, {"temporality": DELTA}, "its temporality is delta, not cumulative"),
    "not monotonic": (event_bus.PUBLISHED, {"monotonic": False}, "it is an up-down counter, not a counter"),
    "monotonic": (
        agent_runtime.AGENTS_ACTIVE,
        {"monotonic": True},
        "it is a counter, not an up-down counter",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_metric_that_is_not_as_the_contract_says_is_named(make: Make, case: str) -> None:
    metric, changed, text = BROKEN[case]
    found = faults(make.metric(metric, **changed))
    assert len(found) == 1
    assert text in found[0]


def test_a_metric_of_ours_in_a_foreign_scope_is_outside_the_contract_and_their_own_is_only_listed(
    make: Make,
) -> None:
    ours = make.metric(event_bus.PUBLISHED, name="loom.my_agent.steps", scope="acme")
    theirs = make.metric(event_bus.PUBLISHED, name="http.client.duration", scope="opentelemetry.httpx")
    assert faults(ours, theirs) == ["loom.my_agent.steps: is not in the contract (scope acme)"]
    assert [(row.scope, row.metrics) for row in inspect(theirs).foreign] == [("opentelemetry.httpx", 1)]


def test_an_attribute_that_is_unknown_missing_no_string_or_outside_its_set_is_named(make: Make) -> None:
    broken = make.point(event_bus.PUBLISHED, agent_id="7", qos="urgent")
    del broken.attributes[a.TOPIC.name]
    number = make.point(event_bus.PUBLISHED, topic=5)
    found = " | ".join(faults(make.metric(event_bus.PUBLISHED, broken, number)))
    for text in (
        "not in the contract: agent_id",
        "lacks the attribute topic",
        "qos='urgent'",
        "topic=5 is no string",
    ):
        assert text in found


def test_a_conditional_attribute_may_be_missing(make: Make) -> None:
    point = make.point(gen_ai.OPERATION_DURATION)
    del point.attributes[a.ERROR_TYPE.name]
    assert faults(make.metric(gen_ai.OPERATION_DURATION, point)) == []


def test_bucket_boundaries_other_than_the_contracts_are_named(make: Make) -> None:
    point = replace(make.point(event_bus.PUBLISH_LATENCY), bounds=(1.0, 2.0), counts=(1, 0, 0))
    assert "its bucket boundaries are 1, 2" in faults(make.metric(event_bus.PUBLISH_LATENCY, point))[0]


def test_a_budget_that_is_overrun_is_named_and_one_that_is_just_kept_is_not(make: Make) -> None:
    metric, limit = mcp_manager.SERVERS_CONNECTED, a.SERVER.limit
    kept = [make.point(metric, server=f"s{number}") for number in range(limit)]
    assert faults(make.metric(metric, *kept)) == []
    over = faults(make.metric(metric, *kept, make.point(metric, server="one more")))
    assert over == [f"{metric.name}: more than {limit} values of server from one process"]
    second = make.metric(metric, make.point(metric, server="of another"), origin=make.origin("two"))
    assert faults(make.metric(metric, *kept), second) == []


def test_a_counter_that_falls_is_named_unless_its_process_began_anew(make: Make) -> None:
    metric = event_bus.PUBLISHED
    high, low = make.point(metric, 5.0, 1), make.point(metric, 3.0, 2)
    assert "it fell from 5 to 3" in faults(make.metric(metric, high), make.metric(metric, low))[0]
    assert faults(make.metric(metric, high), make.metric(metric, replace(low, start=2))) == []
    late = replace(low, time=0)
    assert faults(make.metric(metric, high), make.metric(metric, late)) == []


def test_lost_spans_and_values_that_are_no_numbers_are_named(make: Make) -> None:
    lost = make.metric(own.SPANS_LOST, make.point(own.SPANS_LOST, 4.0))
    assert faults(lost) == [f"{own.SPANS_LOST.name}: 4 (reason='queue_full')"]
    nothing = make.metric(event_bus.BACKLOG, make.point(event_bus.BACKLOG, float("nan")))
    assert "a value is not a finite number" in faults(nothing)[0]


def test_a_counter_that_was_only_announced_does_not_count_as_seen(make: Make) -> None:
    zero = make.metric(action_broker.TIMEOUTS, make.point(action_broker.TIMEOUTS, 0.0))
    row = next(row for row in inspect(zero).metrics if row.name == action_broker.TIMEOUTS.name)
    assert row.state is State.WAITING
    assert row.series == 1


def test_a_resource_that_does_not_say_who_it_is_is_named(make: Make) -> None:
    nobody = Origin({resource.SERVICE_NAME.name: "mine"}, Identity("mine", ""))
    found = faults(make.metric(event_bus.PUBLISHED, origin=nobody))
    assert [text for text in found if "service.instance.id" in text] == [
        "mine: its resource has no service.instance.id"
    ]


SPAN = spans.action_broker.INVOKE
BROKEN_SPANS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown span": ({"operation": "invokes"}, "is not in the contract"),
    "a wrong kind": ({"kind": "client"}, "its kind is client, not internal"),
    "no status": ({"status": ""}, "its status was never set"),
    "an error without its type": ({"status": "ERROR"}, "its status is ERROR without error.type"),
}


@pytest.mark.parametrize("case", BROKEN_SPANS)
def test_a_span_that_is_not_as_the_contract_says_is_named(make: Make, case: str) -> None:
    changed, text = BROKEN_SPANS[case]
    found = faults(make.span(SPAN, 1, **changed))
    assert len(found) == 1
    assert text in found[0]


def test_an_attribute_of_a_span_that_is_unknown_missing_or_of_another_type_is_named(make: Make) -> None:
    span = make.span(SPAN, 1)
    changed = {**span.attributes, "prompt": "secret", a.TIMEOUT.name: "soon", a.CALL_STATUS.name: "fine"}
    del changed[a.CALL_ID.name]
    found = " | ".join(faults(replace(span, attributes=changed)))
    for text in (
        "not in the contract: prompt",
        "timeout='soon' is not of type",
        "status='fine'",
        "no attribute call_id",
    ):
        assert text in found


def test_a_span_below_the_wrong_parent_is_named_and_one_whose_parent_never_came_too(make: Make) -> None:
    run, route = spans.agent.RUN, spans.agent.ROUTE_EVENT
    assert "below loom.action_broker/invoke" in faults(make.span(SPAN, 1), make.span(run, 2, 1))[0]
    assert "it is a root" in faults(make.span(run, 2))[0]
    assert faults(make.span(route, 2, 7)) == [f"{route.key}: its parent never arrived"]
    assert inspect(make.span(route, 2, 7), ended=False).faults == ()


def test_another_librarys_span_is_judged_only_where_the_contract_knows_it(make: Make) -> None:
    known = foreign.SPANS[0]
    wrong = make.span(SPAN, 1, scope=known.scope, operation=f"{known.prefix}forecast", kind="server")
    unknown = make.span(SPAN, 2, scope=known.scope, operation="whatever", kind="")
    assert faults(wrong, unknown) == [f"{known.scope}/{known.prefix.strip()}: its kind is server, not client"]
    assert [(row.scope, row.spans) for row in inspect(wrong, unknown).foreign] == [(known.scope, 2)]


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_arrival_changes_nothing(make: Make, shuffler: random.Random) -> None:
    arrivals = make.whole_contract()
    shuffler.shuffle(arrivals)
    report = inspect(*arrivals, wanted="all")
    assert report.problems == ()
    assert report.percent == 100


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_what_is_sent_twice_counts_once(make: Make, data: st.DataObject) -> None:
    arrivals = make.whole_contract()
    again = data.draw(st.lists(st.sampled_from(arrivals), max_size=20))
    once, twice = inspect(*arrivals), inspect(*arrivals, *again)
    assert [row.count for row in once.spans] == [row.count for row in twice.spans]
    assert [row.value for row in once.metrics] == [row.value for row in twice.metrics]
    assert twice.faults == ()


TEXT = st.text(max_size=8)
VALUES = st.one_of(TEXT, st.integers(), st.floats(), st.booleans())


@given(st.lists(st.tuples(st.sampled_from(metrics.ALL), TEXT, VALUES, st.floats()), max_size=12))
@settings(max_examples=50, deadline=None)
def test_no_value_of_a_metric_brings_it_down(make: Make, sent: list[tuple[Any, str, Any, float]]) -> None:
    arrivals = [
        make.metric(each, make.point(each, value, **{name: text}))
        for each, name, text, value in sent
        if each.kind != "histogram"
    ]
    assert document(inspect(*arrivals))["schema"] == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(spans.ALL), st.integers(1, 5), st.integers(0, 5), TEXT, VALUES), max_size=20
    )
)
@settings(max_examples=50, deadline=None)
def test_no_shape_of_a_trace_brings_it_down(make: Make, sent: list[tuple[Any, int, int, str, Any]]) -> None:
    arrivals = [
        make.span(span, number, parent, attributes={name: value})
        for span, number, parent, name, value in sent
    ]
    inspection = Inspection(Budget(spans=3, traces=1))
    for arrival in arrivals:
        inspection.observe(arrival, 0.0)
    inspection.report(now=100.0)
    for summary in inspection.summaries():
        shown = inspection.waterfall(summary["trace_id"])
        assert shown is not None
        assert len(shown["rows"]) == summary["spans"]


def test_what_is_kept_is_bounded_whatever_is_sent(make: Make) -> None:
    inspection = Inspection(Budget(series=10, spans=50, traces=5))
    refused = 0
    for number in range(600):
        point = make.point(event_bus.BACKLOG, topic=f"t{number}")
        refused += inspection.observe(make.metric(event_bus.BACKLOG, point), 0.0).count
        outside = make.metric(event_bus.BACKLOG, name=f"loom.x{number}")
        inspection.observe(outside, 0.0)
        inspection.observe(make.span(SPAN, number + 1, trace_id=f"{number + 1:032x}"), 0.0)
    report = inspection.report(now=0.0)
    assert refused == 590
    assert len(report.faults) <= 500
    assert report.dropped > 0
    assert len(inspection.summaries()) == 5
    assert inspection._spans._held <= 50


def test_a_flood_of_small_traces_does_not_wash_away_the_rich_one(make: Make) -> None:
    inspection = Inspection()
    for number in range(1, 20):
        inspection.observe(make.span(SPAN, number, trace_id="a" * 32), 0.0)
    for number in range(1, 500):
        inspection.observe(make.span(SPAN, number, trace_id=f"{number:032x}"), 0.0)
    ids = [summary["trace_id"] for summary in inspection.summaries()]
    assert "a" * 32 in ids
    assert ids[0] == f"{499:032x}"


def test_a_trace_that_was_forgotten_is_not_blamed_for_parents_that_came_before(make: Make) -> None:
    inspection = Inspection(Budget(spans=2))
    publish, run = spans.event_bus.PUBLISH, spans.agent.RUN
    inspection.observe(make.span(publish, 1, trace_id="a" * 32), 0.0)
    for number in (2, 3, 4):
        inspection.observe(make.span(publish, number, trace_id="b" * 32), 0.0)
    inspection.observe(make.span(run, 5, 1, trace_id="a" * 32), 0.0)
    assert inspection.report(now=0.0, ended=True).faults == ()
