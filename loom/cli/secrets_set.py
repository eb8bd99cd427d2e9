"""`loom-deploy secrets set`: a secret from elsewhere, on standard input."""

import sys

import click

from loom.cli.keeping import show
from loom.cli.vault import Target, which
from loom.deploy.credentials.keeping import put


@click.command("set")
@click.argument("holder")
@click.argument("file")
@which
def command(target: Target, holder: str, file: str) -> None:
    """Keep what comes on standard input as the secret FILE of HOLDER; on a terminal it is asked for.

    Such as: loom-deploy secrets set alertmanager pager_url --profile prod < url.txt
    """
    terminal = sys.stdin.isatty()
    value = click.prompt(f"{holder}/{file}", hide_input=True) if terminal else sys.stdin.read()
    kept = put(target.plan, target.made, holder, file, value)
    show(target, [one for one in kept if (one.holder, one.name) == (holder, file) or one.state == "changed"])
