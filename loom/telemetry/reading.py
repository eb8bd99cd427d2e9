"""The metrics' half of the pipeline: tallies are collected every few seconds and exported."""

import logging
import math
from collections.abc import Callable
from time import monotonic

from opentelemetry.sdk.metrics import (
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
)
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from loom.contract import metrics as contract
from loom.telemetry import aside
from loom.telemetry.exporter import Histograms, TallyExporter

logger = logging.getLogger(__name__)

_LIMIT = max(metric.cardinality for metric in contract.ALL) + 1
"""The contract's budgets are the limit, not the SDK's 2,000 attribute sets."""
_LEAST = 0.1
"""Seconds an export gets, also when a deadline is over."""


class Reading:
    """A meter provider with one periodic reader."""

    def __init__(self, exporter: MetricExporter, resource: Resource, interval: float, timeout: float) -> None:
        """Export every `interval` seconds, within `timeout`; infinity means only when flushed."""
        self._exporter = TallyExporter(exporter)
        self._periodic = interval < math.inf
        self._reader = PeriodicExportingMetricReader(
            self._exporter,
            export_interval_millis=interval * 1000,
            export_timeout_millis=timeout * 1000,
            cardinality_limits={
                ObservableCounter: _LIMIT,
                ObservableUpDownCounter: _LIMIT,
                ObservableGauge: _LIMIT,
            },
        )
        self.provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)

    def add(self, histograms: Histograms) -> None:
        """Export these too."""
        self._exporter.histograms = histograms

    def flush(self, timeout: float) -> bool:
        """Collect and export now; whether the collector acknowledged it in time."""
        return self._finish(self.provider.force_flush, timeout)

    def shutdown(self, timeout: float) -> bool:
        """Collect and export for the last time; whether the collector acknowledged it in time."""
        if self._periodic:
            return self._finish(self.provider.shutdown, timeout)
        deadline = monotonic() + timeout
        done = self.flush(timeout)
        self._finish(self.provider.shutdown, deadline - monotonic())  # has nothing more to send
        return done

    def _finish(self, action: Callable[[float], object], timeout: float) -> bool:
        before = self._exporter.acknowledged
        limit = max(timeout, _LEAST)
        # Beside this thread, since exporters take as long as they were told to at first.
        done = aside.start(lambda: action(limit * 1000), "loom-metrics")
        try:
            done.result(limit)
        except Exception as error:  # noqa: BLE001 - the SDK raises bare exceptions for a late collector
            logger.warning("the metrics were not sent: %s", str(error) or f"no answer within {limit:.3g} s")
            return False
        return self._exporter.acknowledged > before
