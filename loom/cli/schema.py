"""`loom-deploy schema`: the JSON Schema of profiles, for editors."""

from pathlib import Path

import click

from loom.deploy.profile.schema import schema_text
from loom.deploy.writer.replacement import replacing
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
        _write(Path(output), text.encode())
    except OSError as error:
        raise WriteError(Problem(f"cannot be written: {error.strerror}", output)) from error


def _write(file: Path, content: bytes) -> None:
    if file.exists() and not file.is_file():
        file.write_bytes(content)  # a pipe or a device: nothing that could be replaced
        return
    with replacing(file.resolve()) as stream:  # where a link leads, so that it stays one
        stream.write(content)
