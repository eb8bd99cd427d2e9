"""Groups of commands that are imported only when they are called."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module

import click


class LazyGroup(click.Group):
    """A group of `PREFIX<command>` modules, each with a `command`."""

    table: Mapping[str, str] = {}
    """Command → its one-line help, in the order of use."""
    prefix = ""
    """`loom.cli.`"""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use."""
        del ctx
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for an unknown name."""
        del ctx
        if cmd_name not in self.table:
            return None
        command = import_module(f"{self.prefix}{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a programming error, caught by the tests
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant. Of an unknown one click would know only those that it has loaded."""
        name = args[0]
        if name not in self.table and not name.startswith("-") and not ctx.resilient_parsing:
            close = get_close_matches(name, self.table, 1)
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {close[0]}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))
