"""A real cause of alerts: how it is made, and how it is removed. Data and two functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from loom.deploy.drill.ground import Ground
from loom.deploy.plan.model import Service

Act = Callable[[Ground], None]


class Proof(Enum):
    """What must be seen of an alert, where not everything can be."""

    WHOLE = ""
    """Fires, reaches the receiver, resolves."""
    SILENCED = "silenced, by design"
    """Fires, and is held back since a critical alert of the same cause says it already."""
    LATE = "delivered afterwards"
    """Reaches the receiver only once its cause is gone: that is what it is about."""
    UNHEARD = "in Prometheus only"
    """Fires, and cannot reach Alertmanager: that is what it is about."""
    ENDLESS = "never resolves"
    """Reaches its receiver again and again."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause, and the alerts that it must provoke."""

    name: str
    """What is done, in a few words: `Jaeger is stopped`."""
    alerts: tuple[str, ...]
    begin: Act
    end: Act
    stage: int
    """Causes of one stage are made at the same time; stages follow one another."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the alerts are told by from those of other causes."""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """Alert → what must be seen of it, where that is not the whole."""
    needs: Service | None = None
    """Only where a deployment has this service."""
