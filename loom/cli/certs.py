"""`loom-deploy certs create | check | rotate`: who is who in a deployment."""

import click

from loom.cli.lazy import LazyGroup

COMMANDS = {
    "create": "Make the authority, and a certificate for every party that has none.",
    "check": "Show every certificate, and all that is wrong with it.",
    "rotate": "Replace certificates, or the authority, while programs run.",
}
"""Command → its one-line help."""


class Commands(LazyGroup):
    """`loom-deploy certs …`."""

    table = COMMANDS
    prefix = "loom.cli.certs_"


@click.group("certs", cls=Commands)
def command() -> None:
    """Create, check and rotate the certificates of a deployment."""
