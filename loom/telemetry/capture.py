"""Telemetry that stays in memory: what a test, or a user's own check, looks at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)
from opentelemetry.sdk.metrics.export import Metric as MetricPoints
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from loom.contract import span as contract
from loom.contract.metric import Metric
from loom.telemetry.otlp import Exporters
from loom.telemetry.sampling import Sampling
from loom.telemetry.settings import Settings
from loom.telemetry.setup import Options, setup
from loom.telemetry.telemetry import Telemetry

Labels = frozenset[tuple[str, str]]

_SECONDS = 10.0


class MemorySpans(SpanExporter):
    """Keeps what it is given."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Keep a batch."""
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS


class MemoryMetrics(MetricExporter):
    """Keeps the latest export."""

    def __init__(self) -> None:
        """Nothing yet."""
        super().__init__()
        self.latest: dict[tuple[str, str], MetricPoints] = {}
        """(scope, metric name) → its data."""
        self._lock = Lock()

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **kwargs: Any,  # noqa: ANN401 - the SDK's own signature
    ) -> MetricExportResult:
        """Keep it."""
        del timeout_millis, kwargs
        self.latest = {
            (scope.scope.name, metric.name): metric
            for part in metrics_data.resource_metrics
            for scope in part.scope_metrics
            for metric in scope.metrics
        }
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing waits here."""
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's signature
        """Nothing to stop."""


class Capture:
    """A telemetry and everything it exported."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Everything is sampled unless the settings say otherwise."""
        self._spans = MemorySpans()
        self._metrics = MemoryMetrics()
        chosen = settings or Settings(sampling=Sampling())
        self.telemetry: Telemetry = setup(
            chosen, Options(periodic=False), Exporters(self._spans, self._metrics)
        )

    def spans(self, definition: contract.Span | None = None) -> list[ReadableSpan]:
        """Every span that ended, or those of one definition, in the order in which they ended."""
        self.telemetry.flush(_SECONDS)
        if definition is None:
            return list(self._spans.spans)
        return [span for span in self._spans.spans if _is(span, definition)]

    def metrics(self) -> dict[tuple[str, str], MetricPoints]:
        """(scope, metric name) → its data points now."""
        self.telemetry.flush(_SECONDS)
        return dict(self._metrics.latest)

    def values(self, metric: Metric) -> dict[tuple[str, ...], float]:
        """Attribute values in the contract's order → value; a histogram's value is its count."""
        return {
            labels: point.count if isinstance(point, HistogramDataPoint) else point.value
            for labels, point in self.points(metric).items()
        }

    def value(self, metric: Metric, *labels: str) -> float:
        """The value of one series; 0 when there is none."""
        return self.values(metric).get(labels, 0)

    def total(self, metric: Metric) -> float:
        """The sum over all series."""
        return sum(self.values(metric).values())

    def histogram(self, metric: Metric, *labels: str) -> HistogramDataPoint:
        """One series of a histogram; KeyError when there is none."""
        point = self.points(metric)[labels]
        if isinstance(point, NumberDataPoint):
            raise KeyError(metric.name)
        return point

    def points(self, metric: Metric) -> dict[tuple[str, ...], NumberDataPoint | HistogramDataPoint]:
        """Attribute values in the contract's order → data point."""
        found = self.metrics().get((metric.scope, metric.name))
        points: dict[tuple[str, ...], NumberDataPoint | HistogramDataPoint] = {}
        for point in found.data.data_points if found else ():
            if isinstance(point, NumberDataPoint | HistogramDataPoint):
                points[_labels(metric, point)] = point
        return points


@contextmanager
def capture(settings: Settings | None = None) -> Iterator[Capture]:
    """A capture that is shut down behind the block; what it holds can still be read."""
    captured = Capture(settings)
    try:
        yield captured
    finally:
        captured.telemetry.shutdown(_SECONDS)


def _is(span: ReadableSpan, definition: contract.Span) -> bool:
    scope = span.instrumentation_scope
    return scope is not None and scope.name == definition.scope and definition.matches(span.name)


def _labels(metric: Metric, point: NumberDataPoint | HistogramDataPoint) -> tuple[str, ...]:
    attributes = point.attributes or {}
    values = (
        attributes.get(item.name, "") if item in metric.conditional else attributes[item.name]
        for item in metric.attributes
    )
    return tuple(str(value) for value in values)
