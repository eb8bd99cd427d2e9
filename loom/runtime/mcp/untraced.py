"""What belongs to no trace: health checks, subscriptions, listings that turn out the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import attach, detach
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from loom.telemetry.tracing import fresh_unsampled


@contextmanager
def untraced() -> Iterator[None]:
    """The SDK keeps no span in here, and tells the server so.

    The ids are fresh, so that the server's log does not mix what is unrelated.
    """
    token = attach(set_span_in_context(NonRecordingSpan(fresh_unsampled())))
    try:
        yield
    finally:
        detach(token)
