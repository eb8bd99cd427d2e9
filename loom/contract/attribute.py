"""What an attribute of a metric or span is."""

from dataclasses import dataclass
from typing import Literal

AttributeType = Literal["string", "int", "double", "boolean"]

OVERFLOW_VALUE = "other"
"""The value recorded once an attribute's budget is spent."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: its OpenTelemetry name, and how many values it may take.

    On a metric an attribute has either a closed set of `values` or a `budget`; on a span it may have neither.
    """

    name: str
    """OpenTelemetry name: `topic`, `gen_ai.request.model`."""
    description: str
    """One sentence with a full stop."""
    values: tuple[str, ...] = ()
    """The closed set of values; empty when it is open."""
    budget: int = 0
    """Largest number of distinct values one process may record on a metric; 0 when no budget applies."""
    type: AttributeType = "string"
    """Type on a span; on a metric every value is a string."""

    @property
    def label(self) -> str:
        """The Prometheus label: dots become underscores."""
        return self.name.replace(".", "_")

    @property
    def limit(self) -> int:
        """Largest number of distinct values on a metric, the overflow value included; 0 when unbounded."""
        return len(self.values) or (self.budget + 1 if self.budget else 0)
