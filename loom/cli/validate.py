"""`loom-deploy validate`: a table, one line for each artifact and the program that reads it."""

import os
from collections.abc import Sequence

import click

from loom.cli.screen import Column, show
from loom.cli.usage import ProfileCommand, setting
from loom.deploy import api
from loom.deploy.validate import Outcome, Verdict, gather, validate
from loom.errors import Problem, RefusedError, ToolchainError

COLORS = {Outcome.ACCEPTED: "green", Outcome.REFUSED: "red", Outcome.NOT_RUN: "yellow"}


def _color(cell: str) -> str:
    return next(color for outcome, color in COLORS.items() if cell.startswith(outcome))


_COLUMNS = (Column("artifact"), Column("program", prose=True), Column("verdict", prose=True, style=_color))


@click.command("validate", cls=ProfileCommand)
@click.option("--profile", required=True, metavar="NAME|PATH", help="The profile.")
@setting()
@click.option("--require-all", is_flag=True, help="Exit 4 when a check could not be run.")
def command(profile: str, overrides: tuple[str, ...], *, require_all: bool) -> None:
    """Have every rendered file accepted by the program that reads it.

    Renders the profile into a temporary folder and runs the real programs there; nothing else is written.
    Exit code 1 when a file was refused; a check whose program is missing is shown as `not run`.
    """
    rendered = api.artifacts(api.load_plan(profile, overrides))
    verdicts = validate(rendered, gather(os.environ))
    _show(profile, verdicts)
    _judge(verdicts, require_all=require_all)


def _judge(verdicts: Sequence[Verdict], *, require_all: bool) -> None:
    refused = _problems(verdicts, Outcome.REFUSED)
    if refused:
        raise RefusedError(*refused)
    missing = _problems(verdicts, Outcome.NOT_RUN)
    if missing and require_all:
        raise ToolchainError(*missing)


def _problems(verdicts: Sequence[Verdict], outcome: Outcome) -> list[Problem]:
    """Each once: several artifacts may want for the same program."""
    found = [problem for verdict in verdicts if verdict.outcome is outcome for problem in verdict.problems]
    return list(dict.fromkeys(found))


def _show(profile: str, verdicts: Sequence[Verdict]) -> None:
    show(_COLUMNS, [(verdict.artifact, verdict.check, _said(verdict)) for verdict in verdicts])
    counts = {outcome: sum(verdict.outcome is outcome for verdict in verdicts) for outcome in Outcome}
    click.echo(f"{profile}: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))


def _said(verdict: Verdict) -> str:
    why = f": {verdict.problems[0].message}" if verdict.outcome is Outcome.NOT_RUN else ""
    return f"{verdict.outcome}{why}"
