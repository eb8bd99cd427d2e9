"""`loom-deploy secrets init`: everything that can be made up, is."""

import click

from loom.cli.keeping import show
from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, warn, which
from loom.deploy.credentials.keeping import initialise


@click.command("init", cls=ProfileCommand)
@which
def command(target: Target) -> None:
    """Make every password and token that is not there, and what servers know of them.

    What is there stays. Again after a password was changed by hand, or after the profile changed: servers
    learn of it. What only you can bring is named, with exit 1.
    """
    kept = initialise(target.plan, target.made)
    if not kept:
        click.echo(f"the profile {target.plan.profile.name} needs no secrets")
    warn(target, target.made)
    show(target, kept)
