"""`loom-deploy`: the group of commands, each loaded only when it is called."""

import gc
import os
import signal
import sys

import click

from loom.cli import output
from loom.cli.interruption import remembered
from loom.cli.lazy import LazyGroup
from loom.errors import LoomError

COMMANDS = {
    "render": "Write a profile's files, or check that they are up to date.",
    "validate": "Have every rendered file accepted by the program that reads it.",
    "plan": "Show what a profile will cost and open: memory, disk, series, ports.",
    "schema": "Write the JSON Schema of profiles, for editors.",
    "up": "Start a deployment and wait until it is ready.",
    "status": "Show what runs and whether it is ready.",
    "logs": "Show the logs of a deployment.",
    "down": "Stop a deployment.",
    "run": "Run a program that reports to a deployment.",
    "verify": "Prove that the telemetry of the contract arrives.",
    "check": "Check any program's telemetry against the contract.",
    "drill": "Provoke every alert by its real cause, and see it arrive and resolve.",
    "doctor": "Find the one thing that is broken, and what to do.",
    "trace": "Show one trace as a tree, by its id or the richest one.",
    "diff": "Compare two profiles by meaning, or what runs with what was rendered.",
    "certs": "Create, check and rotate the certificates of a deployment.",
    "secrets": "Make, bring, check and rotate the passwords and tokens of a deployment.",
    "images": "Build, list, carry and pin the container images.",
    "toolchain": "Install or find the real programs.",
}
"""Command → its one-line help, so that `--help` loads none of them."""


INTERRUPTED = 130
"""What a shell reports for a program that ended at Ctrl-C."""


class Commands(LazyGroup):
    """`loom-deploy …`."""

    table = COMMANDS
    prefix = "loom.cli."


def _colourless() -> bool:
    """See https://no-color.org: any value that is not empty."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loom-deploy")
def group() -> None:
    """Render, run and prove the observability deployment of Loom.

    Start with: loom-deploy up --profile dev
    """
    if _colourless():
        click.get_current_context().color = False  # every command inherits it


def main() -> None:
    """The program `loom-deploy`."""
    # A command is over before garbage matters; collecting it while modules load takes a tenth of a rendering.
    gc.disable()
    output.watch()
    code = run()
    # It is over: the interpreter takes a while to end, and that is nothing to interrupt.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def run() -> int:
    """Run the command line; errors of ours become a message and the exit code of their class."""
    try:
        # Not click's standalone mode: it would turn an interrupt into exit 1.
        with remembered(signal.SIGINT):
            code = group.main(prog_name="loom-deploy", standalone_mode=False)
    except LoomError as error:
        code = error.exit_code
        with output.complaining():
            for problem in error.problems:
                click.echo(f"error: {problem}", err=True)
    except click.ClickException as error:
        code = error.exit_code
        with output.complaining():
            error.show()
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
        with output.complaining():
            click.echo("interrupted", err=True)
    return code if isinstance(code, int) else 0
