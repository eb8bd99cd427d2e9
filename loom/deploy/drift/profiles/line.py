"""One difference between two profiles, as an operator reads it. Data."""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What a difference is about, in the order in which it is shown."""

    SECURITY = "security"
    LOSS = "loss"
    """What is given up when a part is away or too slow."""
    SAMPLING = "sampling"
    RETENTION = "retention"
    MEMORY = "memory"
    ALERTS = "alerts"
    TOPOLOGY = "topology"
    """Which programs run, in which version, and how telemetry goes between them."""
    METRICS = "metrics"
    """What series are called and how they travel."""
    PORTS = "ports"
    RUNTIME = "runtime"
    """The Loom container."""
    WORKLOAD = "workload"
    """The load that is planned for; changes sizes, not behaviour."""
    OTHER = "other"
    IDENTITY = "identity"


class Effect(StrEnum):
    """What the second profile has compared with the first; the order within a group."""

    LOSES = "loses"
    GAINS = "gains"
    CHANGES = "changes"
    """Neither is the safer one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One difference."""

    group: Group
    effect: Effect
    what: str
    """`transport between the parts`."""
    a: str
    """What the first profile has, in words."""
    b: str
    """What the second one has."""
    meaning: str
    """What follows from it, or what the value is."""
    path: str = ""
    """Of the profile's value: `security.tls.mode`; empty for what is derived from several."""


NOTHING = "-"
"""Stands for a value that one of the two has not."""


def order(line: Line) -> tuple[int, int]:
    """Sorting key: what weakens security comes first of all."""
    return (list(Group).index(line.group), list(Effect).index(line.effect))
