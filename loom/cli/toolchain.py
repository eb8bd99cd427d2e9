"""`loom-deploy toolchain install | list | path`: the pinned real programs."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from loom.cli.screen import show, titled
from loom.deploy.toolchain import (
    RECIPES,
    Group,
    Progress,
    Recipe,
    ask,
    chosen,
    clean,
    install,
    locate,
    measure,
    require,
)

if TYPE_CHECKING:
    from rich.progress import TaskID

QUIET = 10.0
"""Seconds between two lines about the same phase where no terminal looks on."""

_PROGRAM = click.Choice(list(RECIPES))
_CHOICE = click.Choice([*Group, *RECIPES])


@click.group("toolchain")
def command() -> None:
    """Install or find the pinned real programs that rendered files are checked with and run by."""


@command.command("install")
@click.argument("programs", nargs=-1, type=_CHOICE)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Compilations at a time [default: one per processor]."
)
@click.option(
    "--clean", "tidy", is_flag=True, help="Remove Go's downloads and compiled packages afterwards (11 GB)."
)
def install_command(programs: Sequence[str], jobs: int | None, *, tidy: bool) -> None:
    """Build PROGRAMS into the cache: names, or groups of them (default: all). What is there is left alone.

    Nothing but Python and the extra `toolchain` is needed. An interrupted installation goes on where it was.
    """
    wanted = chosen(programs)
    view: _Screen | _Lines = _Screen() if sys.stdout.isatty() else _Lines()
    with view as show:
        found = install(wanted, report=show, jobs=jobs)
    for located in found:
        click.echo(f"{located.program.name} {located.version}  {located.path}")
    if tidy:
        clean(os.environ)


@command.command("list")
def list_command() -> None:
    """Show every program: its pinned version, and where it is."""
    columns = titled("program", "pinned", "says", "source", "size", "path")
    show(columns, [_row(name, recipe) for name, recipe in RECIPES.items()])


def _row(name: str, recipe: Recipe) -> tuple[str, ...]:
    located = locate(recipe.program, os.environ)
    if located is None:
        return (name, recipe.program.version, "-", "missing", "-", "-")
    said = ask(recipe, located.path) if recipe.package else located.version
    size = f"{measure(located.path) / 1e6:.0f} MB"
    return (name, recipe.program.version, said, located.source, size, str(located.path))


@command.command("path")
@click.argument("program", type=_PROGRAM)
def path_command(program: str) -> None:
    """Print where PROGRAM is, and nothing else; exit code 4 when it is not installed."""
    click.echo(require(RECIPES[program].program)[program])


class _Lines:
    """Progress for logs: a line for each change of phase, and one every ten seconds."""

    def __init__(self) -> None:
        self._last: tuple[str, str] = ("", "")
        self._shown = 0.0

    def __enter__(self) -> Callable[[Progress], None]:
        return self._show

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def _show(self, progress: Progress) -> None:
        now = (progress.program, progress.phase)
        if now == self._last and progress.elapsed - self._shown < QUIET:
            return
        self._last, self._shown = now, progress.elapsed
        click.echo(f"{progress.program:<15} {progress.phase:<12} {_time(progress):>13}  {progress.detail}")


class _Screen:
    """Progress on a terminal: a bar for each program."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, TextColumn  # noqa: PLC0415 - as above
        from rich.progress import Progress as Bars  # noqa: PLC0415 - as above

        columns = ("{task.fields[program]:<15}", "{task.fields[phase]:<12}", "{task.fields[time]:>13}")
        self._bars = Bars(
            *(TextColumn(text) for text in columns), BarColumn(), TextColumn("{task.fields[detail]}")
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Callable[[Progress], None]:
        self._bars.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def _show(self, progress: Progress) -> None:
        task = self._tasks.get(progress.program)
        if task is None:
            task = self._bars.add_task("", program=progress.program, phase="", time="", detail="")
            self._tasks[progress.program] = task
        whole = max(progress.estimate, 0.1)
        self._bars.update(
            task,
            total=whole,
            completed=min(progress.elapsed, whole),
            phase=str(progress.phase),
            time=_time(progress),
            detail=progress.detail,
        )


def _time(progress: Progress) -> str:
    """`75 of 240 s`, or what has passed when the whole is not known."""
    whole = f" of {progress.estimate:.0f}" if progress.estimate > progress.elapsed else ""
    return f"{progress.elapsed:.0f}{whole} s"
