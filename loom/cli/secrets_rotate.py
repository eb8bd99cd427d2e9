"""`loom-deploy secrets rotate`: a new password, known to the servers at once."""

import click

from loom.cli.keeping import show
from loom.cli.vault import Target, which
from loom.deploy.credentials.keeping import find, rotate
from loom.deploy.engine import reread
from loom.deploy.plan.identity import ADMIN, PASSWORD


@click.command("rotate")
@click.argument("party")
@click.option("--file", "secret", default=PASSWORD, show_default=True, help="Which of its secrets.")
@click.option("--at-once", is_flag=True, help="Refuse the old token from now on, not from the next rotation.")
@which
def command(target: Target, party: str, secret: str, *, at_once: bool) -> None:
    """Make a new password (or token) for PARTY, and let the servers it calls know."""
    find(target.plan, party, secret)  # first: a secret that there is not needs no credentials
    kept = rotate(target.plan, target.found, party, secret, at_once=at_once)
    # First what was done, then whom it concerns: whatever the second ends with, the first is known.
    try:
        show(target, [one for one in kept if one.state != "kept"])
    finally:
        # What Grafana's first user may know counts before its first start only.
        changed = {one.holder for one in kept if one.state == "changed" and one.name != ADMIN}
        told = reread(target.rendered, changed)
        if told:
            click.echo(f"told to read them now: {', '.join(told)}")
