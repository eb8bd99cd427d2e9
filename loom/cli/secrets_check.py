"""`loom-deploy secrets check`: whether all secrets are as they must be."""

import click

from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, warn, which
from loom.deploy.credentials.audit import problems
from loom.deploy.credentials.vault import absent
from loom.deploy.plan.identity import secrets
from loom.errors import FindingError


@click.command("check", cls=ProfileCommand)
@which
def command(target: Target) -> None:
    """Say what is missing, open to others, or out of date; exit 1 with all of it."""
    wanted = secrets(target.plan)
    if not wanted:
        click.echo(f"the profile {target.plan.profile.name} needs no secrets")
        return
    lack = absent(target.place)
    wrong = (lack,) if lack else problems(target.plan, target.place)
    warn(target, target.place)
    if wrong:
        raise FindingError(*wrong)
    click.echo(f"{target.place.folder}: {len(wanted)} secrets, all in order")
