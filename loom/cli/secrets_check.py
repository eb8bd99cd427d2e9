"""`loom-deploy secrets check`: whether all secrets are as they must be."""

import click

from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, warn, which
from loom.deploy.credentials.audit import problems
from loom.deploy.plan.identity import secrets
from loom.errors import FindingError


@click.command("check", cls=ProfileCommand)
@which
def command(target: Target) -> None:
    """Say what is missing, open to others, or out of date; exit 1 with all of it."""
    wrong = problems(target.plan, target.found)
    warn(target, target.found)
    if wrong:
        raise FindingError(*wrong)
    click.echo(f"{target.found.folder}: {len(secrets(target.plan))} secrets, all in order")
