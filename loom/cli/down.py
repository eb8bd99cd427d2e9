"""`loom-deploy down`: nothing of a deployment runs any more."""

import click

from loom.cli.deployment import chosen, say, show, which
from loom.cli.usage import ProfileCommand
from loom.deploy import api


@click.command("down", cls=ProfileCommand)
@click.option("--volumes", is_flag=True, help="Remove the data too: metrics, traces, queues.")
@click.option("--images", is_flag=True, help="Remove the programs' images too (engine compose).")
@which
def command(volumes: bool, images: bool, profile: str, name: str) -> None:  # noqa: FBT001 - click passes by keyword
    """Stop a deployment; its data stays unless you say --volumes. Stopping twice is no error."""
    deployment = chosen(profile, name)
    ran = api.down(deployment, show, volumes=volumes, images=images)
    say(f"{deployment} is down" if ran else f"{deployment}: nothing was running")
