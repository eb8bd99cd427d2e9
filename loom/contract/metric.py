"""What a metric is."""

from dataclasses import dataclass
from enum import StrEnum
from math import prod

from loom.contract.attribute import Attribute


class Kind(StrEnum):
    """The OpenTelemetry instrument kinds in use."""

    COUNTER = "counter"
    UP_DOWN_COUNTER = "updowncounter"
    GAUGE = "gauge"
    OBSERVABLE_GAUGE = "observable_gauge"
    HISTOGRAM = "histogram"

    @property
    def prometheus_type(self) -> str:
        """The Prometheus type that this kind arrives as."""
        return str(self) if self in {Kind.COUNTER, Kind.HISTOGRAM} else "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the contract."""

    name: str
    """OpenTelemetry instrument name: `loom.event_bus.published_total`."""
    kind: Kind
    unit: str
    """UCUM unit: `s`, `1`, `{event}`."""
    description: str
    """One sentence with a full stop: when it is recorded."""
    scope: str
    """Instrumentation scope (meter name): `loom.event_bus`."""
    attributes: tuple[Attribute, ...] = ()
    boundaries: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, in `unit`, ascending; empty for other kinds."""
    documented: bool = False
    """Whether the user's own document names it."""
    conditional: tuple[Attribute, ...] = ()
    """Those of `attributes` that a measurement lacks where they do not apply; its value is then `""`."""

    @property
    def cardinality(self) -> int:
        """Largest number of attribute sets one process can record (the product of the budgets)."""
        return prod(attribute.limit for attribute in self.attributes)

    @property
    def series_per_set(self) -> int:
        """Prometheus series one attribute set makes: buckets (with +Inf), sum and count for a histogram."""
        return len(self.boundaries) + 3 if self.kind is Kind.HISTOGRAM else 1

    def attribute(self, name: str) -> Attribute:
        """The attribute of that name; KeyError when the metric has none."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        message = f"{self.name} has no attribute {name!r}"
        raise KeyError(message)
