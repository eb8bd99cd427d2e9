"""Which spans are recorded, how they hang together, and how they end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

from loom.contract import spans as contract
from loom.contract.span import Span
from loom.contract.spans import action_broker, agent, event_bus, tool_orchestrator
from loom.errors import LoomRuntimeError
from loom.telemetry import Sampling, Settings
from loom.telemetry.capture import Capture, capture
from loom.telemetry.foreign import _sampler
from loom.telemetry.propagation import decode, encode, inside
from loom.telemetry.sampling import LOW_BITS
from loom.telemetry.tracing import Tracing

RATIOS = st.floats(0, 1)


def recording(sampling: Sampling) -> Tracing:
    return Tracing(sampling, lambda _: None)


def test_a_span_ends_ok_and_belongs_to_its_scope(captured: Capture) -> None:
    with captured.telemetry.span(event_bus.SUBSCRIBE, {"topic": "orders"}) as span:
        assert trace.get_current_span() is span
        assert span.is_recording()
    assert not span.is_recording()
    (ended,) = captured.spans(event_bus.SUBSCRIBE)
    assert ended.status.status_code is StatusCode.OK
    assert ended.attributes == {"topic": "orders"}
    assert ended.instrumentation_scope is not None
    assert ended.instrumentation_scope.name == event_bus.SUBSCRIBE.scope
    assert ended.end_time is not None
    assert ended.start_time is not None
    assert ended.end_time >= ended.start_time


def test_an_exception_ends_a_span_as_an_error_and_is_recorded_once(captured: Capture) -> None:
    def look_up() -> None:
        with captured.telemetry.span(event_bus.SUBSCRIBE, {}) as span:
            try:
                [].pop()
            except IndexError as error:
                span.fail(error, "NO_TOPIC")
                raise

    with pytest.raises(IndexError):
        look_up()
    (ended,) = captured.spans()
    assert ended.status.status_code is StatusCode.ERROR
    assert ended.attributes == {"error.type": "IndexError", "error_code": "NO_TOPIC"}
    (event,) = ended.events
    assert event.name == "exception"
    recorded = event.attributes or {}
    assert recorded["exception.type"] == "IndexError"
    assert "in look_up" in str(recorded["exception.stacktrace"])


def test_only_the_text_of_our_own_errors_reaches_a_span(captured: Capture) -> None:
    secret = chr(99) + "anary"  # put together, since a stack shows the source
    for error in (ValueError(secret), LoomRuntimeError("the bus is closed")):
        with captured.telemetry.span(event_bus.SUBSCRIBE, {}) as span:
            try:
                raise error from KeyError(secret)
            except type(error) as raised:
                span.fail(raised)
    recorded = [
        str((span.status.description, span.attributes, *(e.attributes for e in span.events)))
        for span in captured.spans()
    ]
    assert not any(secret in each for each in recorded)
    assert "the bus is closed" in recorded[1]
    assert "KeyError" in recorded[0]


def test_a_returned_error_ends_a_span_as_an_error_without_an_exception(captured: Capture) -> None:
    with captured.telemetry.span(action_broker.INVOKE, {}) as span:
        span.fail("RATE_LIMIT", "RATE_LIMIT")
    (ended,) = captured.spans()
    assert ended.status.status_code is StatusCode.ERROR
    assert ended.events == ()


def test_a_span_inside_another_is_its_child(captured: Capture) -> None:
    with captured.telemetry.span(agent.RUN, {}) as outer, captured.telemetry.span(agent.ROUTE_EVENT, {}):
        pass
    inner, _ = captured.spans()
    assert inner.parent == outer.get_span_context()
    assert trace.get_current_span().get_span_context() == trace.INVALID_SPAN_CONTEXT


def test_a_variable_name_carries_the_attribute_behind_a_blank(captured: Capture) -> None:
    model = tool_orchestrator.CHAT.suffix
    assert model is not None
    with captured.telemetry.span(tool_orchestrator.CHAT, {model.name: "small"}):
        pass
    assert [span.name for span in captured.spans(tool_orchestrator.CHAT)] == ["chat small"]


@pytest.mark.parametrize("definition", contract.ALL, ids=lambda definition: definition.key)
def test_every_span_of_the_contract_can_be_recorded(definition: Span, captured: Capture) -> None:
    attributes = {definition.suffix.name: "x"} if definition.suffix else {}
    with captured.telemetry.span(definition, attributes):
        pass
    (span,) = captured.spans(definition)
    assert span.kind.name.lower() == definition.kind


def test_whoever_asks_for_the_current_span_can_write_to_it(captured: Capture) -> None:
    with captured.telemetry.span(agent.RUN, {}):
        current = trace.get_current_span()
        current.set_attributes({"a": 1, "b": None})
        current.add_event("noted", {"c": 2})
        current.add_link(SpanContext(1, 2, is_remote=True))
        current.set_status(StatusCode.ERROR, "foreign")
        current.update_name("never")
    current.set_attribute("late", 1)
    current.add_event("late")
    current.end()
    (span,) = captured.spans()
    assert (span.name, span.attributes) == ("run", {"a": 1})
    assert [event.name for event in span.events] == ["noted"]
    assert len(span.links) == 1
    assert span.status.description == "foreign"


def test_attributes_events_and_links_of_a_span_are_bounded(captured: Capture) -> None:
    with captured.telemetry.span(agent.RUN, {}) as span:
        for number in range(500):
            span.set_attribute(f"a{number}", number)
            span.add_event("e")
    (ended,) = captured.spans()
    assert len(ended.attributes or {}) == 128
    assert len(ended.events) == 128


def test_nothing_is_recorded_when_tracing_is_off() -> None:
    with capture(Settings(sampling=Sampling(0, follow_parent=False))) as captured:
        with captured.telemetry.span(agent.RUN, {}) as span:
            assert not span.is_recording()
        assert captured.spans() == []


def test_what_hangs_below_a_root_that_is_not_kept_is_not_kept() -> None:
    with capture(Settings(sampling=Sampling(0))) as captured:
        foreign = captured.telemetry._pipeline
        assert foreign is not None
        tracer = foreign.tracers.get_tracer("foreign")
        with captured.telemetry.span(agent.RUN, {}), tracer.start_as_current_span("theirs"):
            pass
        assert captured.spans() == []


def test_a_foreign_span_joins_the_trace_and_the_same_exporter(captured: Capture) -> None:
    pipeline = captured.telemetry._pipeline
    assert pipeline is not None
    tracer = pipeline.tracers.get_tracer("foreign")
    with (
        captured.telemetry.span(agent.RUN, {}) as ours,
        tracer.start_as_current_span("theirs"),
        captured.telemetry.span(agent.ROUTE_EVENT, {}),
    ):
        pass
    innermost, theirs, _ = captured.spans()
    assert theirs.parent == ours.get_span_context()
    assert innermost.parent == theirs.context


@given(st.builds(Sampling, RATIOS, st.booleans()), st.integers(1, 2**128 - 1), st.sampled_from([0, 1]))
def test_a_parent_s_decision_is_followed_as_the_sdk_s_own_samplers_do(
    sampling: Sampling, trace_id: int, sampled: int
) -> None:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else 0)
    parent = SpanContext(trace_id, 1, is_remote=True, trace_flags=flags)
    context = trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())
    span = recording(sampling).start(agent.RUN, {}, context)
    expected = _sampler(sampling).should_sample(context, trace_id, "run")
    assert (span is not None) == (expected.decision is Decision.RECORD_AND_SAMPLE)
    if span is not None:
        assert span.context.trace_id == trace_id
        assert span.context.trace_flags.sampled


@settings(max_examples=30)
@given(RATIOS)
def test_a_root_is_kept_exactly_when_the_sdk_would_keep_its_trace_id(ratio: float) -> None:
    tracing = recording(Sampling(ratio))
    sampler = ParentBased(TraceIdRatioBased(ratio))
    kept = [span for _ in range(200) if (span := tracing.root(agent.RUN, {}))]
    for span in kept:
        assert (
            sampler.should_sample(None, span.context.trace_id, "run").decision is Decision.RECORD_AND_SAMPLE
        )
        assert span.context.trace_flags.random_trace_id
    assert tracing.roots == len(kept)
    if ratio in {0, 1}:
        assert len(kept) == 200 * ratio


def test_ten_percent_are_about_ten_percent() -> None:
    tracing = recording(Sampling(0.1))
    kept = sum(tracing.root(agent.RUN, {}) is not None for _ in range(20_000))
    assert 1_600 < kept < 2_400  # ± 9 standard deviations


def test_headers_carry_a_trace_to_another_process(captured: Capture) -> None:
    with captured.telemetry.span(event_bus.PUBLISH, {}) as span:
        headers = encode(trace.set_span_in_context(span, Context()))
    assert headers["traceparent"].endswith("-03")
    with captured.telemetry.span(agent.RUN, {}, decode({"Traceparent": headers["traceparent"]})):
        pass
    _, run = captured.spans()
    assert run.parent is not None
    assert run.parent.is_remote
    assert run.parent.span_id == span.get_span_context().span_id


def test_headers_of_a_trace_that_is_not_kept_say_so_with_ids_of_their_own() -> None:
    tracing = recording(Sampling(0))
    first, second = (encode(tracing.unsampled)["traceparent"] for _ in range(2))
    assert first != second
    assert first.endswith("-00")
    context = trace.get_current_span(tracing.unsampled).get_span_context()
    assert context.trace_id & LOW_BITS == LOW_BITS


def test_baggage_and_tracestate_travel_along() -> None:
    headers = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=1",
        "baggage": "tenant=blue",
    }
    assert encode(decode(headers)) == headers
    assert encode(Context()) == {}


@given(st.dictionaries(st.sampled_from(["traceparent", "tracestate", "baggage"]), st.text(max_size=60)))
def test_malformed_headers_count_as_absent(headers: dict[str, str]) -> None:
    with inside(decode(headers)):
        assert encode(Context()) == {}
