"""What an alert is: data, without any text of a rule file."""

from dataclasses import dataclass
from enum import StrEnum

from loom.contract.promql import Expression
from loom.deploy.artifacts.rules.scene import Proof


class Severity(StrEnum):
    """How soon somebody should look."""

    CRITICAL = "critical"
    """Now."""
    WARNING = "warning"
    """Today."""
    NONE = "none"
    """Never: the heartbeat."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule."""

    name: str
    expression: Expression
    hold: str
    """How long it must hold before the alert fires: `10m`, `0m`."""
    severity: Severity
    component: str
    """The instrumentation scope, or the program, that it is about."""
    summary: str
    """One line: what is wrong."""
    description: str
    """What was measured, with `$value` and `$labels`."""
    proof: Proof
    extra: tuple[tuple[str, str], ...] = ()
    """Further labels of the rule: `slo`."""

    @property
    def labels(self) -> dict[str, str]:
        """Every label that the rule puts on its alerts."""
        return {"severity": str(self.severity), "component": self.component, **dict(self.extra)}
