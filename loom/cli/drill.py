"""`loom-deploy drill`: a table, one line for each alert: cause, fired, delivered, resolved."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace

import click

from loom.cli import screen
from loom.cli.deployment import show
from loom.cli.output import say
from loom.cli.usage import ProfileCommand, setting
from loom.deploy import api
from loom.deploy.artifacts import rules
from loom.deploy.drill import UNPROVOKED, Row, Setting, drill, drilled, impossible, missing
from loom.deploy.engine import Home, NativeEngine
from loom.deploy.engine.conflict import offset
from loom.deploy.plan.model import Plan
from loom.errors import EngineError, FindingError, Problem

_ELSEWHERE = "it is about what lies outside of the deployment, which a drill leaves alone"
_INCOMPLETE = "incomplete"
_COLUMNS = (
    screen.Column("alert"),
    screen.Column("cause", prose=True),
    *screen.titled("fired", "delivered", "silenced", "resolved"),
    screen.Column(prose=True, style=lambda cell: "red" if cell.startswith(_INCOMPLETE) else ""),
)


@click.command("drill", cls=ProfileCommand)
@click.option("--profile", default="dev", show_default=True, metavar="NAME|PATH", help="The profile.")
@setting()
@click.option("--alert", "chosen", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
def command(profile: str, overrides: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Provoke every alert of a profile by its real cause, on real programs, until it is resolved.

    A deployment of its own is started for it, on ports of its own, in which minutes of rules take seconds;
    its only receiver is on this machine. What runs already is left alone. Exit code 1 when an alert did not
    fire, did not arrive or did not resolve.
    """
    whole = api.load_plan(profile, overrides)
    plan = _beside(whole)
    left_out = _left_out(whole, plan)
    _refuse_unknown(whole, chosen, left_out)
    home = Home.of("drill", os.environ)
    if home.record.exists():
        raise EngineError(
            Problem("a drill is under way", str(home.root), hint="loom-deploy down --name drill")
        )
    rows = drill(Setting(plan, home, NativeEngine(), show), chosen, _tell)
    _show(rows)
    for name, why in left_out.items() if not chosen else ():
        say(f"not provoked: {name}: {why}")
    _judge(plan, rows, home, chosen)
    shutil.rmtree(home.root, ignore_errors=True)


def _beside(whole: Plan) -> Plan:
    """The drill's plan, beside whatever runs."""
    plan = drilled(whole)
    room = offset(plan)
    return drilled(plan, room) if room is not None else plan


def _names(plan: Plan) -> set[str]:
    return {alert.name for alert in rules.alerts(plan)}


def _left_out(whole: Plan, plan: Plan) -> dict[str, str]:
    """Alerts of the profile that are not provoked → why."""
    elsewhere = dict.fromkeys(sorted(_names(whole) - _names(plan)), _ELSEWHERE)
    without = {**UNPROVOKED, **impossible(plan)}
    return {**{name: why for name, why in without.items() if name in _names(plan)}, **elsewhere}


def _refuse_unknown(whole: Plan, chosen: Sequence[str], left_out: Mapping[str, str]) -> None:
    known = _names(whole)
    for name in chosen:
        if name not in known:
            message = f"{name!r} is no alert of {whole.profile.name}"
            raise click.BadParameter(message, param_hint="--alert")
        if name in left_out:
            message = f"{name} has no real cause here: {left_out[name]}"
            raise click.BadParameter(message, param_hint="--alert")


def _tell(row: Row) -> None:
    say(f"{row.alert}: {row.proof.value or 'fired, delivered, resolved'}")


def _show(rows: Sequence[Row]) -> None:
    screen.show(_COLUMNS, [_cells(row) for row in rows])


def _cells(row: Row) -> tuple[str, ...]:
    times = (row.fired, row.delivered, row.silenced, row.resolved)
    verdict = row.proof.value if row.complete else _INCOMPLETE
    verdict += " (at the second attempt)" if row.attempt > 1 else ""
    return (row.alert, row.cause, *map(_seconds, times), verdict)


def _seconds(time: float | None) -> str:
    return "" if time is None else f"{time:.1f} s"


def _judge(plan: Plan, rows: Sequence[Row], home: Home, chosen: Sequence[str]) -> None:
    problems = [_problem(row) for row in rows if not row.complete]
    if not chosen:
        problems += [
            Problem(f"{name} has no cause, and no reason why", hint="give it one") for name in missing(plan)
        ]
    if problems:
        raise FindingError(*(replace(one, file=str(home.run)) for one in problems))
    say(f"{len(rows)} alerts: each fired for its cause, and was over when that was removed")


def _problem(row: Row) -> Problem:
    lack = (
        "did not fire" if row.fired is None else "did not arrive" if not row.provoked else "did not resolve"
    )
    return Problem(f"{row.alert} {lack}: {row.cause}", hint="the programs' logs are there")
