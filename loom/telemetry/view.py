"""Our spans as the SDK's exporters see them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from loom.contract.span import SpanKind
from loom.telemetry.span import Span

_KINDS = {
    SpanKind.INTERNAL: trace.SpanKind.INTERNAL,
    SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
    SpanKind.SERVER: trace.SpanKind.SERVER,
}
_OK = Status(StatusCode.OK)


class View(ReadableSpan):
    """A span that has ended.

    What exporters ask for is read from the span when they ask: to fill a `ReadableSpan` beforehand takes
    longer than all that an OTLP exporter asks for.
    """

    dropped_attributes = dropped_events = dropped_links = 0

    def __init__(self, span: Span, resource: Resource, scope: InstrumentationScope) -> None:
        """The base is not initialised, see `__getattr__`."""
        self.span = span
        self._of = resource, scope

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the SDK keeps there
        """A field of the base: those of its methods that stay, such as `to_json`, find all filled in."""
        if name.startswith("__") or not name.startswith("_") or "_name" in vars(self):
            raise AttributeError(name)
        super().__init__(
            name=self.name,
            context=self.context,
            parent=self.parent,
            resource=self.resource,
            attributes=self.span.attributes,
            events=self.events,
            links=self.links,
            kind=self.kind,
            status=self.status,
            start_time=self.start_time,
            end_time=self.end_time,
            instrumentation_scope=self.instrumentation_scope,
        )
        return getattr(self, name)

    @property
    def name(self) -> str:
        """The contract's, with its suffix."""
        return self.span.name

    def get_span_context(self) -> SpanContext:
        """The ids."""
        return self.span.context

    @property
    def context(self) -> SpanContext:
        """The ids."""
        return self.span.context

    @property
    def kind(self) -> trace.SpanKind:
        """The contract's."""
        return _KINDS[self.span.definition.kind]

    @property
    def parent(self) -> SpanContext | None:
        """The ids of the span above."""
        return self.span.parent

    @property
    def start_time(self) -> int:
        """Unix nanoseconds."""
        return self.span.start_time

    @property
    def end_time(self) -> int:
        """Unix nanoseconds."""
        return self.span.end_time

    @property
    def status(self) -> Status:
        """OK, or ERROR with its description."""
        span = self.span
        return _OK if span.status is StatusCode.OK else Status(span.status, span.description)

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        """Read-only, as those of the SDK's own spans."""
        return MappingProxyType(self.span.attributes)

    @property
    def events(self) -> Sequence[Event]:
        """Exceptions and whatever else happened."""
        return tuple(Event(event.name, event.attributes, event.time) for event in self.span.events)

    @property
    def links(self) -> Sequence[trace.Link]:
        """To spans of other traces."""
        return tuple(self.span.links)

    @property
    def resource(self) -> Resource:
        """The process."""
        return self._of[0]

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        """The component."""
        return self._of[1]
