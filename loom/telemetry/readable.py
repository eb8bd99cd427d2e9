"""Shows recorded spans to an exporter of the SDK, in the exporter's thread."""

from collections.abc import Callable, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from loom.contract import canary, scopes
from loom.telemetry.batcher import Batcher
from loom.telemetry.span import Span
from loom.telemetry.version import VERSION
from loom.telemetry.view import View

AnyEnded = Span | ReadableSpan
"""A span of ours, or of a library that uses the SDK."""


def sender(exporter: SpanExporter, resource: Resource) -> Callable[[Sequence[AnyEnded]], bool]:
    """A function that exports a batch and says whether it was acknowledged."""
    known = {name: InstrumentationScope(name, VERSION) for name in (*scopes.ALL, canary.SCOPE)}

    def send(batch: Sequence[AnyEnded]) -> bool:
        spans = [
            View(span, resource, known[span.definition.scope]) if isinstance(span, Span) else span
            for span in batch
        ]
        return exporter.export(spans) is SpanExportResult.SUCCESS

    return send


class Bridge(SpanProcessor):
    """Leads the spans of other libraries into the same queue."""

    def __init__(self, batcher: Batcher[AnyEnded]) -> None:
        """Put them into `batcher`."""
        self._batcher = batcher

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that was sampled."""
        if span.context and span.context.trace_flags.sampled:
            self._batcher.put(span)
