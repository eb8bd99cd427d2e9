"""Trace context between processes: W3C headers, written and read only where an event leaves or enters."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import NonRecordingSpan, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loom.telemetry.tracing import fresh_unsampled, is_shared

_TRACE = TraceContextTextMapPropagator()
_BAGGAGE = W3CBaggagePropagator()

FIELDS = frozenset(_TRACE.fields | _BAGGAGE.fields)
"""The headers' names: traceparent, tracestate, baggage."""


def encode(context: Context) -> dict[str, str]:
    """The headers for a context; empty when there is no trace and no baggage.

    A trace that is not kept gets ids of its own here, so that the receiver's logs do not mix traces.
    """
    if is_shared(get_current_span(context).get_span_context()):
        context = set_span_in_context(NonRecordingSpan(fresh_unsampled()), context)
    headers: dict[str, str] = {}
    _TRACE.inject(headers, context)
    _BAGGAGE.inject(headers, context)
    return headers


@contextmanager
def inside(context: Context) -> Iterator[None]:
    """What happens in the block belongs to the trace of `context`, such as an envelope's."""
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def decode(headers: Mapping[str, str]) -> Context:
    """The context that headers describe; malformed ones count as absent, as W3C demands."""
    carrier = {name.lower(): value for name, value in headers.items()}
    return _BAGGAGE.extract(carrier, _TRACE.extract(carrier, Context()))
