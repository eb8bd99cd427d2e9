"""The files: the configuration for either site, and the test of its routes."""

from loom.deploy.artifacts.alertmanager import configuration, expectation
from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.rules.files import alerts
from loom.deploy.plan.finding import at
from loom.deploy.plan.model import Plan, Site
from loom.deploy.profile.spelling import meant
from loom.errors import PlanError, Problem


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """Configuration and test; PlanError when a team looks after what no alert is about."""
    problems = _strangers(plan)
    if problems:
        raise PlanError(*sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column)))
    return (*(configuration.artifact(plan, site) for site in Site), expectation.artifact(plan))


def _strangers(plan: Plan) -> list[Problem]:
    """Components that no alert is about: a team that looks after nothing would hear of nothing."""
    if not plan.profile.alerting.teams:
        return []
    known = list(dict.fromkeys(alert.component for alert in alerts(plan)))
    return [
        at(
            plan.profile,
            f"alerting.teams.{number}.components",
            f"no alert is about {component!r}",
            meant(component, known),
        )
        for number, team in enumerate(plan.profile.alerting.teams)
        for component in team.components
        if component not in known
    ]
