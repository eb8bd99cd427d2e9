"""The section about the canary, which proves again and again that telemetry arrives."""

from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.section import Section


class Canary(Section):
    """A program that sends a trace and a metric through the real ingress and looks them up in the stores."""

    enabled: bool = False
    """Whether it runs beside the stack."""
    interval: Duration = Duration.parse("1m")
    """How often it sends: every second at the most, and every hour at the least."""
