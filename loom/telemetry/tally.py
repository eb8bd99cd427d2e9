"""Plain numbers that the hot path counts with; the exporter's thread only reads them.

One event loop writes a tally. Reading from another thread is safe: every number is replaced as a whole.
"""

from bisect import bisect_left
from time import time_ns
from typing import NamedTuple

from opentelemetry.trace import SpanContext

SHOWN = 300 * 1_000_000_000
"""Nanoseconds for which an example is shown: longer than exports and scrapes are apart."""


class Tally:
    """A number: of a counter, or of a gauge that goes up and down."""

    __slots__ = ("n",)

    def __init__(self, n: int = 0) -> None:
        """Start at zero, or somewhere else."""
        self.n = n

    @property
    def measurements(self) -> int:
        """How much was counted."""
        return self.n


class Sample(NamedTuple):
    """One measurement and the span it was made in."""

    value: float
    """In the raw unit of its distribution."""
    trace_id: int
    span_id: int
    time: int
    """Unix nanoseconds."""


_Kept = tuple[float, SpanContext, int]
"""What becomes a `Sample` when it is read: most are replaced by the next one before."""


class Distribution:
    """A histogram with explicit boundaries.

    Durations are recorded in whole nanoseconds, everything else in the unit of its metric.
    """

    __slots__ = ("begun", "bounds", "counts", "samples", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Take ascending upper bounds; each belongs to the bucket below it."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total: float = 0
        self.begun = 0
        """What is being measured and has not ended."""
        self.samples: list[_Kept | None] = [None] * len(self.counts)

    def add(self, value: float) -> None:
        """Count one measurement."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add_sampled(self, value: float, span: SpanContext) -> None:
        """Count one measurement and keep it as the latest example of its bucket."""
        bucket = bisect_left(self.bounds, value)
        self.counts[bucket] += 1
        self.total += value
        self.samples[bucket] = value, span, time_ns()

    def latest_samples(self, now: int) -> list[Sample]:
        """The latest example of each bucket; `now` is in Unix nanoseconds.

        Again at each export, not once: a store that asks the collector less often than we export would miss
        those in between, and knows those that it has.
        """
        return [
            Sample(value, span.trace_id, span.span_id, time)
            for value, span, time in (kept for kept in self.samples if kept is not None)
            if now - time <= SHOWN
        ]

    @property
    def measurements(self) -> int:
        """How many measurements there were."""
        return sum(self.counts)
