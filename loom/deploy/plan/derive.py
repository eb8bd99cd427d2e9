"""Profile to plan: everything derived once, and refused when it cannot work."""

from loom.contract.naming import Naming
from loom.deploy.plan import (
    aggregation,
    layout,
    longterm,
    memory,
    objectives,
    people,
    policy,
    ports,
    rounds,
    sampling,
    storage,
)
from loom.deploy.plan.edges import edges
from loom.deploy.plan.estimate import estimate, kept_seconds
from loom.deploy.plan.finding import Check, at, span
from loom.deploy.plan.model import Plan
from loom.deploy.plan.pinning import pinned
from loom.deploy.profile.lockfile import Pins
from loom.deploy.profile.model import Profile
from loom.errors import PlanError, Problem

UNPINNED = Pins()
CHECKS: tuple[Check, ...] = (
    *ports.CHECKS,
    *memory.CHECKS,
    *storage.CHECKS,
    *objectives.CHECKS,
    *policy.CHECKS,
    *sampling.CHECKS,
    *rounds.CHECKS,
    *longterm.CHECKS,
    *aggregation.CHECKS,
)


def derive(profile: Profile, pins: Pins = UNPINNED) -> Plan:
    """The plan of a profile, its images pinned; PlanError with every reason why it cannot work."""
    containers = pinned(layout.containers(profile), pins)
    placed = layout.ports(profile)
    plan = Plan(
        profile,
        Naming(profile.metrics.naming, profile.metrics.namespace),
        containers,
        placed,
        layout.limiter(profile.collector.memory.mib),
        estimate(profile, containers),
        edges(profile, placed),
    )
    problems = [problem for check in CHECKS for problem in check(plan)]
    if problems:
        raise PlanError(*sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column)))
    return plan


def remarks(plan: Plan) -> tuple[Problem, ...]:
    """What works, and may surprise."""
    return (
        *_early_loss(plan),
        *_known_password(plan),
        *memory.remarks(plan),
        *people.remarks(plan),
        *sampling.remarks(plan),
        *longterm.remarks(plan),
        *aggregation.remarks(plan),
    )


def _early_loss(plan: Plan) -> tuple[Problem, ...]:
    """Metrics that go before their time, because their size comes first."""
    profile, found = plan.profile, plan.estimate
    kept = kept_seconds(profile, found)
    if kept >= profile.metrics.retention.time.seconds:
        return ()
    size, time = profile.metrics.retention.size, profile.metrics.retention.time
    message = f"{size} are full after about {span(kept)}, before {time} are over"
    return (at(profile, "metrics.retention.size", message, "raise it, or expect less"),)


def _known_password(plan: Plan) -> tuple[Problem, ...]:
    """Grafana with the password of the documentation, in production."""
    profile = plan.profile
    if profile.environment not in policy.PRODUCTION or profile.security.authentication == "basic":
        return ()
    message = "Grafana starts with the documented admin/admin"
    hint = "write basic, or change it at the first login; it is published on loopback only"
    return (at(profile, "security.authentication", message, hint),)
