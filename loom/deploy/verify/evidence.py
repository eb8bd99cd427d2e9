"""What the stores hold, as data: series of Prometheus, spans of Jaeger."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sample:
    """The last value of one series."""

    labels: Mapping[str, str]
    """Without `__name__`."""
    value: float


@dataclass(frozen=True, slots=True)
class Target:
    """One scraped target."""

    job: str
    up: bool
    error: str = ""
    """What its last scrape said."""


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """One span as Jaeger shows it."""

    trace_id: str
    span_id: str
    parent_id: str
    """Empty for a root."""
    operation: str
    service: str
    scope: str
    """Instrumentation scope."""
    kind: str
    """`producer`, `internal` …; empty when it has none."""
    status: str
    """`OK`, `ERROR`, or empty when it was never set."""
    attributes: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Passage:
    """What the collector counted of one signal."""

    accepted: float = 0.0
    """Taken by its receivers."""
    refused: float = 0.0
    """Not taken, by a receiver or for want of memory."""
    sent: float = 0.0
    """Handed over to a store."""
    failed: float = 0.0
    """Given up: the store did not take it, or the queue was full."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was asked for, at one moment."""

    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    """Series name → its series."""
    targets: tuple[Target, ...] = ()
    spans: tuple[SeenSpan, ...] = ()
    """Every span of every trace that was fetched."""
    complete: bool = True
    """Whether `spans` are all the spans there are since the beginning of the window."""
    exemplars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Series name → trace ids of its exemplars."""
    resolved: frozenset[str] = frozenset()
    """Those of the exemplars' trace ids that Jaeger has a trace for."""
    passages: Mapping[str, Passage] = field(default_factory=dict)
    """`metric` or `span` → what the collector counted of them."""

    def total(self, name: str) -> float:
        """The sum over all series of a name."""
        return sum(sample.value for sample in self.samples.get(name, ()))
