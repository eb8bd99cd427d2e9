"""`loom-deploy certs check`: every certificate, and all that is wrong with it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import click

from loom.cli.screen import Column, show, titled
from loom.cli.usage import ProfileCommand
from loom.cli.vault import Target, warn, which
from loom.deploy.credentials.advice import completed
from loom.deploy.credentials.inspection import Standing, inspect
from loom.deploy.credentials.vault import absent
from loom.deploy.plan.identity import identities
from loom.errors import FindingError


@click.command("check", cls=ProfileCommand)
@click.option("--json", "machine", is_flag=True, help="As JSON, for machines.")
@which
def command(target: Target, *, machine: bool) -> None:
    """Show every certificate; exit 1 with all that is wrong. A profile that encrypts nothing needs none.

    Wrong is what is missing, has ended or ends within 3 days, is for other names or purposes, does not fit
    its key, is open to others, or is not trusted by one that meets it. 14 days before its end is a warning.
    """
    lack = absent(target.place) if identities(target.plan) else None
    standings = tuple(_advised(one, target.options) for one in inspect(target.plan, target.place))
    if machine:
        click.echo(json.dumps([asdict(one) for one in standings], indent=2))
    elif not standings:
        click.echo(f"the profile {target.plan.profile.name} needs no certificates")
    else:
        _show(standings)
        for one in standings:
            for warning in one.warnings:
                click.echo(f"warning: {warning}", err=True)
        warn(target, target.place)
    problems = [lack] if lack else [problem for one in standings for problem in one.problems]
    if problems:
        raise FindingError(*problems)


def _advised(one: Standing, options: str) -> Standing:
    problems, warnings = completed(one.problems, options), completed(one.warnings, options)
    return replace(one, problems=problems, warnings=warnings)


def _show(standings: Sequence[Standing]) -> None:
    columns = (*titled("party", "verdict", "days left", "use"), Column("hosts", prose=True))
    show(columns, [_row(one) for one in standings])


def _row(one: Standing) -> tuple[str, ...]:
    days = str(one.days) if one.ends else ""
    return (one.party, _verdict(one), days, one.use, " ".join(one.hosts))


def _verdict(one: Standing) -> str:
    if one.problems:
        return "wrong"
    return "warning" if one.warnings else "good"
