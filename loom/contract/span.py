"""What a span is."""

from dataclasses import dataclass
from enum import StrEnum

from loom.contract.attribute import Attribute


class SpanKind(StrEnum):
    """The OpenTelemetry span kinds in use, as Jaeger shows them in the tag `span.kind`."""

    INTERNAL = "internal"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Span:
    """One span of the contract."""

    name: str
    """`publish`; for names with a variable part the constant part: `chat` of `chat MODEL`."""
    scope: str
    """Instrumentation scope (tracer name): `loom.event_bus`."""
    kind: SpanKind
    description: str
    """One sentence with a full stop."""
    attributes: tuple[Attribute, ...] = ()
    """Always set; those in `optional` only where they apply."""
    optional: tuple[Attribute, ...] = ()
    parents: tuple[str, ...] = ()
    """Keys of the spans it may hang under; `""` among them, or no key at all: any current span, or none."""
    suffix: Attribute | None = None
    """The attribute whose value follows the name after a blank: the model in `chat MODEL`."""

    @property
    def key(self) -> str:
        """`scope/name`: two components have a span named `run`."""
        return f"{self.scope}/{self.name}"

    def matches(self, operation: str) -> bool:
        """Whether an operation name seen in Jaeger is this span."""
        return operation.startswith(f"{self.name} ") if self.suffix else operation == self.name
