"""What is there to route to: local models and cloud endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Model:
    """A model on this machine."""

    name: str
    event_types: frozenset[str] = frozenset()
    """What it handles; empty for everything."""
    latency: float = 0.05
    """Seconds it is expected to take."""

    def handles(self, event_type: str) -> bool:
        """Whether it handles events of that type."""
        return not self.event_types or event_type in self.event_types


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model elsewhere."""

    name: str
    latency: float = 0.15
    """Seconds it is expected to take."""
    default_cost: float = 0.001
    """USD per event of a type that `costs` does not name."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """USD per event, by event type."""
    trusted: bool = False
    """Whether sensitive events may go there."""

    def cost(self, event_type: str) -> float:
        """USD expected for one event of that type."""
        return self.costs.get(event_type, self.default_cost)


@dataclass(frozen=True, slots=True)
class Landscape:
    """Everything there is to route to."""

    models: tuple[Model, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()

    def model_for(self, event_type: str) -> Model | None:
        """The fastest local model for the type; a specialised one wins over one for everything."""
        able = [model for model in self.models if model.handles(event_type)]
        return min(able, key=lambda model: (not model.event_types, model.latency, model.name), default=None)
