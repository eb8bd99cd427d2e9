"""Command lines that a document shows, as the program itself takes them."""

import shlex
from importlib import import_module

import click

from loom.cli.main import COMMANDS


def take(line: str) -> None:
    """Parse what follows `loom-deploy`, and run nothing: unknown commands, options and values are refused."""
    name, *arguments = shlex.split(line)
    assert name in COMMANDS, name
    command = import_module(f"loom.cli.{name}").command
    if isinstance(command, click.Group):
        name, *arguments = arguments
        found = command.get_command(click.Context(command), name)
        assert found, name
        command = found
    command.make_context(name, arguments)
