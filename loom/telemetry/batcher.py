"""Ended spans on their way to the exporter, in batches, each one counted: created = exported + lost.

The SDK's own BatchSpanProcessor does not say how many spans it loses, and starves beside a busy event loop.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,
    attach,
    set_value,
)

from loom.contract import environment
from loom.telemetry.ledger import EXPORT_FAILED, QUEUE_FULL, SHUTDOWN, Ledger

_logger = logging.getLogger(__name__)

Item = TypeVar("Item")
BATCH = int(environment.SPAN_BATCH.default)
DELAY = int(environment.SPAN_DELAY.default) / 1000
"""Seconds a span waits at most before its batch is sent."""


class Batcher(Generic[Item]):
    """A bounded queue and the one thread that empties it."""

    def __init__(
        self,
        send: Callable[[Sequence[Item]], bool],
        ledger: Ledger,
        size: int,
        batch: int = BATCH,
        delay: float = DELAY,
    ) -> None:
        """`send` delivers a batch and says whether it was acknowledged; `size` items may wait.

        At most `batch` items are sent at once, and none waits longer than `delay` seconds for others.
        """
        self._send = send
        self._batch = batch
        self._delay = delay
        self.ledger = ledger
        self._size = size
        self._queue: deque[Item] = deque()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._in_flight = 0
        self._stopping = False
        self._abandoned = False
        self._thread = threading.Thread(target=self._work, name="loom-spans", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Take an item from any thread, or count it as lost. Never waits for the exporter."""
        queue = self._queue
        with self._lock:
            self.ledger.created += 1
            if self._stopping:
                self.ledger.lost[SHUTDOWN] += 1
                return
            if len(queue) >= self._size:
                self.ledger.lost[QUEUE_FULL] += 1
                return
            queue.append(item)
        if len(queue) == self._batch:
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Send everything that waits; whether all of it was acknowledged within `timeout` seconds."""
        with self._settled:
            failed = self.ledger.lost[EXPORT_FAILED]
            self._wake.set()
            idle = self._settled.wait_for(self._idle, timeout)
            return idle and self.ledger.lost[EXPORT_FAILED] == failed

    def shutdown(self, timeout: float) -> bool:
        """Send everything, then stop; whether all of it was acknowledged.

        What is not acknowledged within `timeout` seconds counts as lost.
        """
        with self._lock:
            self._stopping = True
            failed = self.ledger.lost[EXPORT_FAILED]
        self._wake.set()
        self._thread.join(timeout)
        with self._lock:
            unsent = len(self._queue) + self._in_flight
            self.ledger.lost[SHUTDOWN] += unsent
            self._queue.clear()
            self._abandoned = True
            return unsent == 0 and self.ledger.lost[EXPORT_FAILED] == failed

    def _idle(self) -> bool:
        return not self._queue and not self._in_flight

    def _work(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        while not self._stopping:
            self._wake.wait(self._delay)
            self._wake.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while batch := self._take():
            try:
                sent = self._send(batch)
            except Exception:  # whatever an exporter raises, the next batch must still be tried
                _logger.exception("the span exporter failed")
                sent = False
            self._settle(len(batch), sent=sent)

    def _take(self) -> list[Item]:
        with self._lock:
            count = min(self._batch, len(self._queue))
            self._in_flight = count
            return [self._queue.popleft() for _ in range(count)]

    def _settle(self, count: int, *, sent: bool) -> None:
        with self._settled:
            if not self._abandoned:
                if sent:
                    self.ledger.exported += count
                else:
                    self.ledger.lost[EXPORT_FAILED] += count
            self._in_flight = 0
            self._settled.notify_all()
