"""`loom-deploy secrets init | set | check | rotate`: passwords and tokens, which stand in files only."""

import click

from loom.cli.lazy import LazyGroup

COMMANDS = {
    "init": "Make every password and token that is not there, and what servers know of them.",
    "set": "Bring a secret that comes from elsewhere, on standard input.",
    "check": "Say what is missing, open to others, or out of date.",
    "rotate": "Make a new password or token.",
}
"""Command → its one-line help."""


class Commands(LazyGroup):
    """`loom-deploy secrets …`."""

    table = COMMANDS
    prefix = "loom.cli.secrets_"


@click.group("secrets", cls=Commands)
def command() -> None:
    """Make, bring, check and rotate the passwords and tokens of a deployment.

    They stand in files that only their readers may read: in no profile, no rendered file, no environment and
    no argument of a command.
    """
