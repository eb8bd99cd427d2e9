"""Exporters that live through a rotation: made anew as soon as a certificate, key or token has changed.

The SDK's gRPC exporter reads its files once, when it is made; a process that never restarts would be refused
from the day its first certificate ends. Asking whether the files changed costs some microseconds an export.
"""

import logging
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from loom.telemetry.credentials import Credentials, Stamp

logger = logging.getLogger(__name__)


class _Stoppable(Protocol):
    def shutdown(self) -> None: ...


Exporter = TypeVar("Exporter", bound=_Stoppable)
Result = TypeVar("Result", SpanExportResult, MetricExportResult)


class Renewal(Generic[Exporter]):
    """The exporter that holds now. One thread exports; any thread may stop it."""

    def __init__(self, make: Callable[[], Exporter], credentials: Credentials) -> None:
        """Make the first one; what `make` raises is raised."""
        self._make = make
        self._credentials = credentials
        self._stamp = credentials.stamp
        self._refused: Stamp | None = None
        self._lock = Lock()
        self._stopped = False
        self._exporter = make()

    def export(self, send: Callable[[Exporter], Result], success: Result) -> Result:
        """Send, and send again when the files changed meanwhile and it was not acknowledged."""
        self._renew()
        result = send(self._exporter)
        while result is not success and self._renew():
            result = send(self._exporter)
        return result

    def stop(self, shutdown: Callable[[Exporter], object]) -> None:
        """Stop the one that holds; from now on none is made."""
        self._stopped = True
        with self._lock:
            shutdown(self._exporter)

    def _renew(self) -> bool:
        """Whether there is a new exporter, from files that are new and right.

        They are replaced one by one: what does not belong together yet is looked at again at the next export.
        """
        before = self._credentials.stamp
        if before in {self._stamp, self._refused}:
            return False
        if faults := tuple(self._credentials.faults()):
            self._refused = before
            logger.warning("still sending with the former credentials: %s", "; ".join(faults))
            return False
        with self._lock:
            return not self._stopped and self._replace(before)

    def _replace(self, before: Stamp) -> bool:
        try:
            made = self._make()
        except (OSError, ValueError) as error:  # a file went away since it was looked at
            logger.warning("still sending with the former credentials: %s", type(error).__name__)
            return False
        former = self._exporter
        self._exporter = made
        if self._credentials.stamp == before:  # else one was replaced while it was read: renew once more
            self._stamp = before
        former.shutdown()
        logger.info("sending with new credentials: %s", ", ".join(self._credentials.files))
        return True


class RenewedSpans(SpanExporter):
    """A span exporter that is made anew when its credentials change."""

    def __init__(self, make: Callable[[], SpanExporter], credentials: Credentials) -> None:
        """`make` reads the files each time."""
        self._renewal = Renewal(make, credentials)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass a batch on."""
        return self._renewal.export(lambda exporter: exporter.export(spans), SpanExportResult.SUCCESS)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        del timeout_millis
        return True

    def shutdown(self) -> None:
        """Pass it on; what is being tried again is given up."""
        self._renewal.stop(lambda exporter: exporter.shutdown())


class RenewedMetrics(MetricExporter):
    """A metric exporter that is made anew when its credentials change."""

    def __init__(self, make: Callable[[], MetricExporter], credentials: Credentials) -> None:
        """`make` reads the files each time."""
        super().__init__()
        self._renewal = Renewal(make, credentials)

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **kwargs: Any,  # noqa: ANN401 - the SDK's own signature
    ) -> MetricExportResult:
        """Pass it on."""
        return self._renewal.export(
            lambda exporter: exporter.export(metrics_data, timeout_millis, **kwargs),
            MetricExportResult.SUCCESS,
        )

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing waits here."""
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's signature
        """Pass it on; what is being tried again is given up."""
        self._renewal.stop(lambda exporter: exporter.shutdown(timeout_millis, **kwargs))
