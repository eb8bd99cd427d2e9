"""The span that components record: OpenTelemetry's own interface, without the SDK's cost per span.

An SDK span takes 12 to 15 µs, this one 2: attributes are a plain dict, exporters see it through a view that
reads what they ask for. Any library that asks for the current span can write to it.
"""

from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext, Status, StatusCode

from loom.contract import attributes as a
from loom.contract import span as contract
from loom.telemetry.incident import Incident, describe

Attributes = Mapping[str, Any]

LIMIT = 128
"""Attributes, events and links a span keeps, as in the SDK."""


class Span(trace.Span):
    """One recording span; it ends OK unless `fail` was called or an exception left its `with` block."""

    __slots__ = (
        "attributes",
        "context",
        "definition",
        "end_time",
        "events",
        "links",
        "name",
        "parent",
        "sink",
        "start_time",
        "status",
    )

    # Of the class until a span fails: most never do, and each field costs time at every start.
    description: str | None = None
    error: BaseException | None = None
    """What it failed with, so that it is recorded once."""

    def __init__(
        self,
        definition: contract.Span,
        context: SpanContext,
        parent: SpanContext | None,
        attributes: dict[str, Any],
        sink: "Callable[[Span], None]",
    ) -> None:
        """Start now; `attributes` belongs to the span from here on."""
        self.definition = definition
        suffix = definition.suffix
        self.name = definition.name if suffix is None else f"{definition.name} {attributes[suffix.name]}"
        self.context = context
        self.parent = parent
        self.attributes = attributes
        self.sink = sink
        self.events: list[Incident] = []
        self.links: list[trace.Link] = []
        self.status = StatusCode.UNSET
        self.end_time = 0
        self.start_time = time_ns()

    def get_span_context(self) -> SpanContext:
        """The ids."""
        return self.context

    def is_recording(self) -> bool:
        """Whether it has not ended."""
        return not self.end_time

    def set_attribute(self, key: str, value: Any) -> None:  # noqa: ANN401 - OpenTelemetry's signature
        """Set one attribute; ignored after the end, and past the limit."""
        if (
            not self.end_time
            and value is not None
            and (len(self.attributes) < LIMIT or key in self.attributes)
        ):
            self.attributes[key] = value

    def set_attributes(self, attributes: Attributes) -> None:
        """Set several."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(
        self, name: str, attributes: Attributes | None = None, timestamp: int | None = None
    ) -> None:
        """Add an event with a time."""
        if not self.end_time and len(self.events) < LIMIT:
            self.events.append(Incident(name, dict(attributes or {}), timestamp or time_ns()))

    def add_link(self, context: SpanContext, attributes: Attributes | None = None) -> None:
        """Add a link to another span."""
        if not self.end_time and len(self.links) < LIMIT:
            self.links.append(trace.Link(context, attributes))

    def update_name(self, name: str) -> None:
        """Nothing: names are the contract's."""

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; OK is final, UNSET changes nothing."""
        code = status.status_code if isinstance(status, Status) else status
        if self.end_time or self.status is StatusCode.OK or code is StatusCode.UNSET:
            return
        self.status = code
        self.description = status.description if isinstance(status, Status) else description

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes | None = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - OpenTelemetry's signature
    ) -> None:
        """Add the exception as an event."""
        details = {**describe(exception, escaped=escaped), **(attributes or {})}
        self.add_event("exception", details, timestamp)

    def fail(self, error: BaseException | str, code: str = "") -> None:
        """End as ERROR: an exception, or the type of a returned error, and its short code if any."""
        if isinstance(error, BaseException):
            if error is self.error:
                return
            self.error = error
            self.record_exception(error)
            error = type(error).__qualname__
        self.set_attribute(a.ERROR_TYPE.name, error)
        if code:
            self.set_attribute(a.ERROR_CODE.name, code)
        self.set_status(StatusCode.ERROR, code or error)

    def end(self, end_time: int | None = None) -> None:
        """End it, OK unless it failed; a second end is ignored."""
        if self.end_time:
            return
        if self.status is StatusCode.UNSET:
            self.status = StatusCode.OK
        elif self.error is not None:
            self.error = None  # its traceback holds on to everything that was in use; exporters keep spans
        self.end_time = end_time or time_ns()
        self.sink(self)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """End it; an exception that leaves the block is recorded."""
        if exc_val is not None:
            self.fail(exc_val)
        self.end()


class Unsampled(trace.NonRecordingSpan):
    """Stands in for a span that nobody will see."""

    def fail(self, error: BaseException | str, code: str = "") -> None:
        """Nothing."""


AnySpan = Span | Unsampled
Events = Sequence[Incident]
