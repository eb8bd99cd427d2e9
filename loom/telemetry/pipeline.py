"""From tallies and ended spans to the exporters: what runs behind a `Telemetry`, and how it is stopped."""

import atexit
import logging
from threading import Lock
from time import monotonic

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from loom.telemetry.batcher import Batcher
from loom.telemetry.readable import AnyEnded
from loom.telemetry.reading import Reading

logger = logging.getLogger(__name__)

SPANS_SHARE = 0.6
"""Share of a deadline that spans may use; the rest is kept for the metrics."""
_AT_EXIT = 5.0


class Pipeline:
    """Batcher, providers and exporters of one `Telemetry`."""

    def __init__(
        self, reading: Reading, tracers: TracerProvider, spans: SpanExporter, batcher: Batcher[AnyEnded]
    ) -> None:
        """Stops by itself when the interpreter ends, unless `shutdown` came first."""
        self.reading = reading
        self.tracers = tracers
        self.ledger = batcher.ledger
        self._spans = spans
        self._batcher = batcher
        self._lock = Lock()
        self._stopped = False
        atexit.register(self.shutdown, _AT_EXIT)

    def become_global(self) -> None:
        """Let other libraries find these providers; OpenTelemetry allows that once in a process."""
        trace_api.set_tracer_provider(self.tracers)
        metrics_api.set_meter_provider(self.reading.provider)

    def flush(self, timeout: float) -> bool:
        """Send what waits: spans first, then metrics."""
        deadline = monotonic() + timeout
        sent = self._batcher.flush(timeout * SPANS_SHARE)
        return self.reading.flush(deadline - monotonic()) and sent

    def shutdown(self, timeout: float) -> bool:
        """Send what waits and stop everything, within `timeout` seconds even when nobody answers."""
        with self._lock:
            if self._stopped:
                return True
            self._stopped = True
        atexit.unregister(self.shutdown)
        deadline = monotonic() + timeout
        sent = self._batcher.shutdown(timeout * SPANS_SHARE)
        self._spans.shutdown()
        return self.reading.shutdown(deadline - monotonic()) and sent
