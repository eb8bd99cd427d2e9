"""How the credentials of a deployment stand: the look at their files."""

import os
from pathlib import Path

from loom.deploy.doctor.evidence import Credentials
from loom.deploy.plan.identity import identities, secrets
from loom.deploy.plan.model import Plan
from loom.errors import InputError, MachineError, Problem


def credentials(plan: Plan, rendered: Path) -> Credentials:
    """What is wrong with a plan's certificates and secrets; nothing where it needs none."""
    if not (identities(plan) or secrets(plan)):
        return Credentials()
    # Slow to import, and only what is protected needs them.
    from loom.deploy.credentials import audit  # noqa: PLC0415 - as just said
    from loom.deploy.credentials.inspection import inspect  # noqa: PLC0415 - as just said
    from loom.deploy.credentials.vault import vault  # noqa: PLC0415 - as just said

    wrong: list[Problem] = []
    soon: list[Problem] = []
    try:
        found = vault(rendered)
        for party in inspect(plan, found):
            wrong += party.problems
            soon += party.warnings
        wrong += audit.problems(plan, found)
    except (InputError, MachineError) as error:
        wrong += error.problems
    closed = tuple(problem for problem in wrong if _closed(problem))
    return Credentials(tuple(problem for problem in wrong if problem not in closed), tuple(soon), closed)


def _closed(problem: Problem) -> bool:
    """Whether it is only that we may not look: the file belongs to the user of a container."""
    path = Path(problem.file)
    looks = ((path.parent, os.X_OK), (path, os.R_OK))
    return bool(problem.file) and any(os.path.exists(one) and not os.access(one, how) for one, how in looks)  # noqa: PTH110 - Path.exists raises where we may not look
