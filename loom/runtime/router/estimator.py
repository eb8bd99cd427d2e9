"""How good would the local model's answer be? Whoever knows says so here."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from loom.runtime.event import Event


class Estimator(Protocol):
    """Estimates the confidence of a local answer, 0 to 1."""

    def supports(self, event_type: str) -> bool:
        """Whether it can say anything about events of that type; without a word the confidence is 0."""

    def estimate(self, event: Event) -> float | Awaitable[float]:
        """The confidence for one event, at once or awaited.

        What is awaited has the router's deadline. What is returned at once must be quick: it runs on the
        event loop, where nothing can stop it.
        """


@dataclass(frozen=True, slots=True)
class FixedEstimator:
    """Confidence by event type, as whoever chose the local models measured it."""

    confidences: Mapping[str, float] = field(default_factory=dict)
    """By event type."""
    default: float | None = 0.9
    """For every other type; None says nothing about those."""

    def supports(self, event_type: str) -> bool:
        """Whether the type has a figure."""
        return self.default is not None or event_type in self.confidences

    def estimate(self, event: Event) -> float:
        """The figure of the event's type."""
        return self.confidences.get(event.type, self.default or 0.0)
