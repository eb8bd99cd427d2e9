"""`loom-deploy logs`: what the services say."""

import click

from loom.cli.deployment import find, which
from loom.deploy import api
from loom.deploy.engine import LogRequest
from loom.errors import UnknownServiceError


@click.command("logs")
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option("--follow", "-f", is_flag=True, help="Wait for more, until interrupted.")
@click.option("--lines", default=50, show_default=True, type=click.IntRange(0), help="Last lines of each.")
@which
def command(services: tuple[str, ...], follow: bool, lines: int, profile: str, name: str) -> None:  # noqa: FBT001 - click passes by keyword
    """Show the logs of a deployment, of some services or all."""
    deployment = find(profile, name)
    try:
        found = api.logs(deployment, LogRequest(services, lines, follow))
    except UnknownServiceError as error:
        raise click.BadParameter(str(error), param_hint="SERVICE") from None
    for line in found:
        click.echo(f"{line.service:<15}| {line.text}")
