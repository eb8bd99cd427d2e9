"""`loom-deploy certs check`: every certificate, and all that is wrong with it."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from loom.cli.screen import screen
from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, warn, which
from loom.deploy.credentials.inspection import Standing, inspect
from loom.errors import FindingError


@click.command("check", cls=ProfileCommand)
@click.option("--json", "machine", is_flag=True, help="As JSON, for machines.")
@which
def command(target: Target, *, machine: bool) -> None:
    """Show every certificate; exit 1 with all that is wrong.

    Wrong is what is missing, has ended or ends within 3 days, is for other names or purposes, does not fit
    its key, is open to others, or is not trusted by one that meets it. 14 days before its end is a warning.
    """
    standings = inspect(target.plan, target.found)
    if machine:
        click.echo(json.dumps([asdict(one) for one in standings], indent=2))
    else:
        _show(standings)
        for one in standings:
            for warning in one.warnings:
                click.echo(f"warning: {warning}", err=True)
        warn(target, target.found)
    problems = [problem for one in standings for problem in one.problems]
    if problems:
        raise FindingError(*problems)


def _show(standings: Sequence[Standing]) -> None:
    from rich.table import Column, Table  # noqa: PLC0415 - late: it is slow to import

    table = Table("party", "verdict", "days left", "use", Column("hosts", overflow="fold"), box=None)
    for one in standings:
        days = str(one.days) if one.ends else ""
        table.add_row(one.party, _verdict(one), days, one.use, " ".join(one.hosts))
    screen().print(table)


def _verdict(one: Standing) -> str:
    if one.problems:
        return "wrong"
    return "warning" if one.warnings else "good"
