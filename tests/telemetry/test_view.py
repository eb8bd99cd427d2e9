"""Shortcuts of the hot path show what OpenTelemetry's own ways would show."""

import json
from contextlib import suppress
from contextvars import copy_context
from gc import collect
from weakref import ref

import pytest
from opentelemetry import context as theirs
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, TraceFlags, TraceState

from loom.contract.spans import event_bus
from loom.telemetry import Sampling
from loom.telemetry import current as ours
from loom.telemetry.capture import Capture
from loom.telemetry.span import Span
from loom.telemetry.tracing import Tracing
from loom.telemetry.view import View

RESOURCE = Resource({"service.name": "viewed"})
SCOPE = InstrumentationScope(event_bus.PUBLISH.scope, "1")
REMOTE = SpanContext(
    7, 8, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("vendor", "x")])
)


@pytest.fixture(params=[False, True], ids=["ok", "failed"])
def span(request: pytest.FixtureRequest) -> Span:
    """An ended span with everything that a span can have."""
    tracing = Tracing(Sampling(), lambda _: None)
    context = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE), Context())
    started = tracing.start(event_bus.PUBLISH, {"topic": "orders", "delivered": 3}, context)
    assert started is not None
    started.add_link(REMOTE, {"why": "batch"})
    started.add_event("noted", {"key": "value"}, 5)
    if request.param:
        started.fail(ValueError("secret"), "CODE")
    started.end()
    return started


def _in_full(span: Span) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=RESOURCE,
        attributes=span.attributes,
        events=[Event(event.name, event.attributes, event.time) for event in span.events],
        links=span.links,
        kind=SpanKind.PRODUCER,
        status=Status(span.status, span.description),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=SCOPE,
    )


def test_an_exporter_sends_of_a_view_what_it_would_send_of_a_span_in_full(span: Span) -> None:
    sent = encode_spans([View(span, RESOURCE, SCOPE)])
    assert sent == encode_spans([_in_full(span)])
    assert sent.ByteSize() > 100


def test_every_public_field_of_the_sdk_s_spans_is_the_same_in_a_view(span: Span) -> None:
    names = [name for name in vars(ReadableSpan) if not name.startswith("_")]
    fields = [name for name in names if isinstance(getattr(ReadableSpan, name), property)]
    assert {"name", "status", "links", "resource", "dropped_events"} <= set(fields)
    view, full = View(span, RESOURCE, SCOPE), _in_full(span)
    for name in sorted(set(fields) - {"status", "events", "instrumentation_info"}):
        assert getattr(view, name) == getattr(full, name), name
    assert view.get_span_context() == full.get_span_context()
    assert (view.status.status_code, view.status.description) == (span.status, span.description)


def test_methods_that_a_view_does_not_replace_find_the_fields_of_the_base(span: Span) -> None:
    view = View(span, RESOURCE, SCOPE)
    assert json.loads(view.to_json()) == json.loads(_in_full(span).to_json())
    assert not hasattr(view, "no_such_field")
    assert not hasattr(view, "_no_such_field")


def test_ids_made_in_one_step_are_those_that_opentelemetry_would_make() -> None:
    tracing = Tracing(Sampling(), lambda _: None)
    root = tracing.root(event_bus.PUBLISH, {})
    assert root is not None
    child = tracing.start(event_bus.PUBLISH, {}, tracing.below(root, Context()))
    assert child is not None
    assert child.parent is root.context
    for made in (root.context, child.context):
        checked = SpanContext(
            made.trace_id, made.span_id, is_remote=False, trace_flags=made.trace_flags, trace_state=None
        )
        assert made.is_valid
        assert made == checked
        assert repr(made) == repr(checked)


def test_a_context_attached_here_is_current_for_everybody_and_the_other_way_round() -> None:
    mine, other = Context({"whose": "mine"}), Context({"whose": "other"})
    token = ours.attach(mine)
    assert theirs.get_current() is ours.get_current() is mine
    inner = theirs.attach(other)
    assert ours.get_current() is other
    ours.detach(inner)
    assert theirs.get_current() is mine
    theirs.detach(token)
    assert ours.get_current() == {}


def test_a_context_that_is_detached_elsewhere_is_logged_and_raises_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = copy_context().run(ours.attach, Context({"whose": "another task's"}))
    ours.detach(token)
    assert "attached elsewhere" in caplog.text
    assert ours.get_current() == {}


def test_what_is_kept_of_a_failed_span_does_not_keep_alive_what_its_exception_does(captured: Capture) -> None:
    class Held:
        """What a frame of the traceback holds."""

    def fail() -> ref[Held]:
        held = Held()
        found = ref(held)
        with suppress(ValueError), captured.telemetry.span(event_bus.PUBLISH, {}):
            raise ValueError
        return found

    found = fail()
    collect()
    assert len(captured.spans()) == 1
    assert found() is None
