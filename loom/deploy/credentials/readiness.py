"""Whether a deployment may be started: its certificates and secrets will do, and no waiver is over."""

from datetime import UTC, datetime
from pathlib import Path

from loom.deploy.credentials import audit
from loom.deploy.credentials.inspection import inspect
from loom.deploy.credentials.vault import vault
from loom.deploy.plan.identity import identities, secrets
from loom.deploy.plan.model import Plan
from loom.deploy.plan.policy import overdue
from loom.errors import MachineError, PlanError


def require(plan: Plan, rendered: Path) -> None:
    """Return when nothing is in the way of a start; PlanError or MachineError with all that is."""
    over = overdue(plan, datetime.now(UTC).date())
    if over:
        raise PlanError(*over)
    if not (identities(plan) or secrets(plan)):
        return
    found = vault(rendered)
    wrong = [problem for party in inspect(plan, found) for problem in party.problems]
    wrong += audit.problems(plan, found)
    if wrong:
        raise MachineError(*wrong)
