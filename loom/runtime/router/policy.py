"""What a route must respect: privacy, latency, cost, quality."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from loom.errors import ConfigurationError, Problem


class Privacy(IntEnum):
    """How far an event may travel; a higher value is stricter."""

    PUBLIC = 0
    """Anywhere."""
    SENSITIVE = 1
    """To cloud endpoints that are marked as trusted."""
    PRIVATE = 2
    """To no cloud endpoint; it may wait for a local model."""
    LOCAL_ONLY = 3
    """To no cloud endpoint, and it waits nowhere: handled locally or dropped."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`public`, `sensitive`, `private` or `local-only`; ValueError otherwise."""
        for level in cls:
            if level.text == text:
                return level
        message = f"{text!r} is not a privacy level: one of {', '.join(level.text for level in cls)}"
        raise ValueError(message)

    @property
    def text(self) -> str:
        """As metadata and parameters spell it: `local-only`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of one agent's routing."""

    privacy: Privacy = Privacy.SENSITIVE
    latency_budget: float = 0.2
    """Seconds the chosen route may be expected to take."""
    cost_cap: float = 0.01
    """USD the chosen route may be expected to cost, per event."""
    quality_threshold: float = 0.85
    """Confidence, 0 to 1, from which a local answer is good enough."""

    @classmethod
    def from_parameters(cls, parameters: dict[str, str], base: "Policy | None" = None) -> "Policy":
        """An agent's own policy; all wrong values are named at once.

        `routing.privacy`, `routing.latency_budget` (s), `routing.cost_cap` (USD), `routing.quality_threshold`
        among the agent's parameters override the base.
        """
        changes: dict[str, object] = {}
        problems = []
        for key, (field, parse) in _PARAMETERS.items():
            if key not in parameters:
                continue
            try:
                changes[field] = parse(parameters[key])
            except ValueError as error:
                problems.append(Problem(str(error), path=f"$.parameters.{key}"))
        if problems:
            raise ConfigurationError(*problems)
        return replace(base or cls(), **changes)  # type: ignore[arg-type]  # _PARAMETERS pairs field and type


def _limit(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        message = f"{text!r} is not a limit: write a number, 0 or more"
        raise ValueError(message)
    return value


def _share(text: str) -> float:
    value = _limit(text)
    if value > 1:
        message = f"{text!r} is not a share: write a number from 0 to 1"
        raise ValueError(message)
    return value


_PARAMETERS = {
    "routing.privacy": ("privacy", Privacy.parse),
    "routing.latency_budget": ("latency_budget", _limit),
    "routing.cost_cap": ("cost_cap", _limit),
    "routing.quality_threshold": ("quality_threshold", _share),
}
