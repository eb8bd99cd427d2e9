"""What a process records its telemetry with; made once, passed to every component."""

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from opentelemetry.context import Context

from loom.contract import span as contract
from loom.contract.metric import Metric
from loom.telemetry import aside
from loom.telemetry.families import Families
from loom.telemetry.family import Family
from loom.telemetry.ledger import Ledger
from loom.telemetry.sampling import Sampling
from loom.telemetry.settings import Settings
from loom.telemetry.tally import Distribution, Tally
from loom.telemetry.tracing import Scope, Tracing

if TYPE_CHECKING:
    from loom.telemetry.pipeline import Pipeline

logger = logging.getLogger("loom.telemetry")

SHUTDOWN_SECONDS = 5.0
"""How long a process waits for its collector before it ends."""
SPARE_SECONDS = 1.0
"""How much longer for a shutdown that keeps no deadline: one that does says itself what arrived."""


class Telemetry:
    """Counters, gauges, histograms and spans of the contract.

    `enabled` is false for `Telemetry.disabled()`: then components skip what only telemetry needs.
    """

    def __init__(self, families: Families, tracing: Tracing, pipeline: "Pipeline | None" = None) -> None:
        """Use `loom.telemetry.setup`, `Telemetry.disabled` or a capture instead."""
        self.families = families
        self.tracing = tracing
        self.enabled = pipeline is not None
        self._pipeline = pipeline

    @classmethod
    def disabled(cls) -> Self:
        """Telemetry that nobody reads; it costs next to nothing."""
        return cls(Families(), Tracing(Sampling(0, follow_parent=False), lambda _: None))

    def counter(self, metric: Metric) -> Family[Tally]:
        """The tallies of a counter."""
        return self.families.counting(metric)

    def gauge(self, metric: Metric) -> Family[Tally]:
        """The tallies of a gauge, settable or going up and down."""
        return self.families.counting(metric)

    def histogram(self, metric: Metric) -> Family[Distribution]:
        """The tallies of a histogram; durations are recorded in whole nanoseconds."""
        return self.families.distributing(metric)

    def span(
        self, definition: contract.Span, attributes: dict[str, Any], parent: Context | None = None
    ) -> Scope:
        """A span around a `with` block, current inside it.

        Its parent is the current span, or that of `parent`: what an envelope carries. It ends OK unless the
        block calls `fail` on it or is left by an exception.
        """
        return self.tracing.scope(definition, attributes, parent)

    def become_global(self) -> None:
        """Let other libraries record with the same providers; OpenTelemetry allows that once in a process."""
        if self._pipeline:
            self._pipeline.become_global()

    @property
    def ledger(self) -> Ledger:
        """What became of the spans so far."""
        return self._pipeline.ledger if self._pipeline else Ledger()

    def flush(self, timeout: float = SHUTDOWN_SECONDS) -> bool:
        """Send all spans and metrics now; whether that was done within `timeout` seconds. Blocks."""
        return self._pipeline.flush(timeout) if self._pipeline else True

    def shutdown(self, timeout: float = SHUTDOWN_SECONDS) -> bool:
        """Send everything and stop; whether everything arrived within `timeout` seconds. Blocks.

        Spans go first, so that the last metrics tell what became of them. A second call does nothing.
        """
        return self._pipeline.shutdown(timeout) if self._pipeline else True

    async def close(self, timeout: float = SHUTDOWN_SECONDS) -> bool:  # noqa: ASYNC109 - passed to a thread
        """`shutdown` without blocking the event loop, whatever its pool of threads is busy with.

        One cancellation does not cut it short: its thread would end with the program, and lose what it sends.
        """
        ending = asyncio.wrap_future(aside.start(partial(self.shutdown, timeout), "loom-shutdown"))
        deadline = asyncio.get_running_loop().time() + timeout + SPARE_SECONDS
        try:
            return await _ended(ending, deadline)
        except asyncio.CancelledError:
            await _ended(ending, deadline)
            raise

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Send everything and stop."""
        await self.close()


async def _ended(ending: "asyncio.Future[bool]", deadline: float) -> bool:
    """What it says at its end; False when it has not come by then, in the loop's time."""
    await asyncio.wait({ending}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    if ending.done():
        return ending.result()
    logger.warning("the telemetry was not stopped in time: an exporter does not end")
    return False


def announce(settings: Settings) -> None:
    """Log what the user's document tells people to look for."""
    logger.info("OpenTelemetry initialized successfully")
    logger.info(
        "%s sends to %s, sampling %s of new traces",
        settings.service_name,
        settings.traces_endpoint,
        settings.sampling,
    )
