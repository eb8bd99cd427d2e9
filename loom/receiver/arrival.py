"""What arrived, as frozen data: nothing of protobuf, nothing that knows what it should have been."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

Value = str | int | float | bool
"""An attribute's value; lists and maps arrive as their JSON text, bytes as hex."""

CUMULATIVE = "cumulative"
DELTA = "delta"


class Shape(StrEnum):
    """OTLP's data kinds of a metric."""

    SUM = "sum"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    EXPONENTIAL = "exponential histogram"
    SUMMARY = "summary"
    NOTHING = "no data"


class Identity(NamedTuple):
    """What tells one process from another: its service and instance."""

    service: str
    instance: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The resource something came from: one process."""

    attributes: Mapping[str, Value]
    identity: Identity
    """`service.name` and `service.instance.id`; empty where the resource has none."""

    @property
    def service(self) -> str:
        """`service.name`, or a word for its absence."""
        return self.identity.service or "unnamed service"


@dataclass(frozen=True, slots=True)
class Point:
    """One data point."""

    attributes: Mapping[str, Value]
    value: float
    """The value; of a histogram its count."""
    start: int
    """Nanoseconds since 1970: when this series began to count; 0 when unknown."""
    time: int
    """Nanoseconds since 1970."""
    total: float = 0.0
    """Sum of a histogram's measurements."""
    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    """Of each bucket, the one above the last bound included."""


@dataclass(frozen=True, slots=True)
class MetricArrival:
    """One metric of one request."""

    origin: Origin
    scope: str
    name: str
    unit: str
    shape: Shape
    points: tuple[Point, ...]
    monotonic: bool = False
    temporality: str = ""
    """`cumulative` or `delta`; empty where it does not apply or was not said."""


@dataclass(frozen=True, slots=True)
class SpanArrival:
    """One ended span."""

    origin: Origin
    scope: str
    operation: str
    """Its name."""
    kind: str
    """`internal`, `producer`, `consumer`, `client`, `server`; empty when unspecified."""
    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits."""
    parent_id: str
    """16 hex digits; empty for a root."""
    start: int
    """Nanoseconds since 1970."""
    end: int
    """The same."""
    status: str
    """`OK`, `ERROR`, or empty when it was never set."""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    message: str = ""
    """What the status says of an error."""
    links: tuple[tuple[str, str], ...] = ()
    """Trace id and span id of each span that it follows from without being below it."""
    exceptions: tuple[str, ...] = ()
    """`Type: message` of each exception that was recorded."""


Arrival = MetricArrival | SpanArrival
