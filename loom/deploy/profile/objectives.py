"""The section about service level objectives: what share of what must be good, and over which time.

From each follow alerts on how fast its error budget burns, recorded series of what is left of it, and its
part of a dashboard.
"""

from typing import Annotated

from pydantic import Field

from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.section import Goal, Section


class Objective(Section):
    """One objective."""

    enabled: bool | None = None
    """Whether it is watched; when it does not say so, wherever the profile has what it measures."""
    objective: Goal | None = None
    """Share that must be good; `slo.objective` when it says none."""
    window: Duration | None = None
    """Period it is measured over; `slo.window` when it says none."""


class Latency(Objective):
    """An objective over how long invocations take."""

    threshold: Duration = Duration.parse("1s")
    """How long one may take; a boundary of the histogram, since nothing is known in between."""


class Freshness(Objective):
    """An objective over how old the newest telemetry in the stores is; the canary measures it."""

    within: Duration = Duration.parse("5m")
    """How old it may be."""


class Slo(Section):
    """Service level objectives, and what those have in common that do not say otherwise."""

    objective: Goal = 0.99
    """Share that must be good."""
    window: Duration = Duration.parse("7d")
    """Period that an objective is measured over; not longer than Prometheus keeps samples."""
    floor: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Events in the shorter window of a burn rate below which nobody is called: one of three is no outage."""
    delivery: Objective = Objective()
    """Of the events that a subscriber should get, those for which its queue had room."""
    invoke_success: Objective = Objective()
    """Of the invocations of capabilities, those that end as ok."""
    invoke_latency: Latency = Latency()
    """Of the invocations that are executed, those that end within the threshold."""
    tool_success: Objective = Objective()
    """Of the tool calls, those that end as ok."""
    freshness: Freshness = Freshness()
    """Of the time, that in which the newest trace and metric in the stores are young enough."""
