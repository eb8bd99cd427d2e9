"""`loom-deploy schema`: the JSON Schema of profiles, for editors."""

from pathlib import Path

import click

from loom.deploy.profile.schema import schema_text
from loom.errors import Problem, WriteError


@click.command("schema")
@click.option("--output", default="-", metavar="FILE|-", help="File to write (default: standard output).")
def command(output: str) -> None:
    """Write the JSON Schema of profiles, for editors.

    A profile names it in its first line: # yaml-language-server: $schema=profile.schema.json
    """
    text = schema_text()
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WriteError(Problem(f"cannot be written: {error.strerror}", output)) from error
