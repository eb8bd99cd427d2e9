"""Adds the tallied histograms to what the SDK collected, on the way to the real exporter."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from time import time_ns
from typing import Any, cast

from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.metrics.export import (
    Histogram as HistogramData,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from loom.telemetry.exemplar import exemplars
from loom.telemetry.family import NANOSECONDS, Family, Series
from loom.telemetry.tally import Distribution
from loom.telemetry.version import VERSION

CUMULATIVE: dict[type, AggregationTemporality] = dict.fromkeys(
    (Counter, UpDownCounter, Histogram, ObservableCounter, ObservableUpDownCounter, ObservableGauge),
    AggregationTemporality.CUMULATIVE,
)
"""Prometheus wants totals; tallies are totals."""


Histograms = Callable[[], list[Family[Distribution]]]


class TallyExporter(MetricExporter):
    """Wraps a push exporter; every histogram family becomes one more metric of its scope."""

    def __init__(self, inner: MetricExporter) -> None:
        """Start counting time now: a total needs its beginning."""
        super().__init__(preferred_temporality=CUMULATIVE)
        self.histograms: Histograms = list
        """Asked at each export."""
        self.acknowledged = 0
        """Exports that arrived."""
        self._inner = inner
        self._started = time_ns()

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **kwargs: Any,  # noqa: ANN401 - the SDK's own signature
    ) -> MetricExportResult:
        """Export what the SDK collected together with the histograms."""
        complete = [self._complete(part) for part in metrics_data.resource_metrics]
        result = self._inner.export(MetricsData(complete), timeout_millis, **kwargs)
        self.acknowledged += result is MetricExportResult.SUCCESS
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Pass it on."""
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's signature
        """Pass it on."""
        self._inner.shutdown(timeout_millis, **kwargs)

    def _complete(self, part: ResourceMetrics) -> ResourceMetrics:
        """Merge by scope: an exporter may take only one entry for each."""
        histograms = self._histograms(time_ns())
        scopes = [
            replace(scope, metrics=[*scope.metrics, *histograms.pop(scope.scope.name, ())])
            for scope in part.scope_metrics
        ]
        for name, metrics in histograms.items():
            scope = InstrumentationScope(name, VERSION)
            scopes.append(ScopeMetrics(scope, metrics, scope.schema_url or ""))
        return replace(part, scope_metrics=scopes)

    def _histograms(self, now: int) -> dict[str, list[Metric]]:
        """Scope → its histograms that have series."""
        found: defaultdict[str, list[Metric]] = defaultdict(list)
        for family in self.histograms():
            points = [self._point(family, series, now) for series in family.read()]
            if points:
                data = HistogramData(points, AggregationTemporality.CUMULATIVE)
                metric = family.metric
                found[metric.scope].append(Metric(metric.name, metric.description, metric.unit, data))
        return found

    def _point(
        self, family: Family[Distribution], series: Series[Distribution], now: int
    ) -> HistogramDataPoint:
        scale = NANOSECONDS if family.metric.unit == "s" else 1
        counts = list(series.tally.counts)
        unknown = cast("float", None)  # optional in OTLP: tallies keep no minimum and no maximum
        return HistogramDataPoint(
            attributes=series.attributes,
            start_time_unix_nano=self._started,
            time_unix_nano=now,
            count=sum(counts),
            sum=series.tally.total / scale,
            bucket_counts=counts,
            explicit_bounds=family.metric.boundaries,
            min=unknown,
            max=unknown,
            exemplars=exemplars(series.tally.latest_samples(now), scale),
        )
