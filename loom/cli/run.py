"""`loom-deploy run`: a program that reports to a deployment."""

import sys

import click

from loom.cli.deployment import find, which
from loom.deploy import api


@click.command("run", context_settings={"ignore_unknown_options": True})
@click.option("--env", "settings", multiple=True, metavar="NAME=VALUE", help="A variable; may be repeated.")
@which
@click.argument(
    "program", nargs=-1, required=True, metavar="-- PROGRAM [ARGUMENT]...", type=click.UNPROCESSED
)
def command(settings: tuple[str, ...], program: tuple[str, ...], profile: str, name: str) -> None:
    """Run a program with the environment that makes Loom report to a deployment; exits as the program does.

    With the engine compose it runs in a container of the Loom image beside the stack, else on this machine.
    """
    pairs = [setting.partition("=") for setting in settings]
    wrong = [variable for variable, sign, _ in pairs if not (variable and sign)]
    if wrong:
        message = f"--env takes NAME=VALUE, not {wrong[0]!r}"
        raise click.UsageError(message)
    environment = {variable: value for variable, _, value in pairs}
    sys.exit(api.run(find(profile, name), program, environment))
