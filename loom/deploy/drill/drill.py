"""The drill itself: a deployment in short time, causes stage by stage, and what became of each alert."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from loom.deploy.artifacts.render import render
from loom.deploy.artifacts.rules.files import alerts
from loom.deploy.drill.cause import Cause, Proof
from loom.deploy.drill.causes import CAUSES, UNPROVOKED
from loom.deploy.drill.course import Row
from loom.deploy.drill.credentials import credentials
from loom.deploy.drill.ground import Ground
from loom.deploy.drill.receiver import Receiver
from loom.deploy.drill.rehearsal import HEARTBEAT, TOLD, narrowed
from loom.deploy.drill.scale import compress
from loom.deploy.engine import Deployment, Engine, Home
from loom.deploy.engine.protocol import Report
from loom.deploy.plan.model import Plan, Service
from loom.errors import EngineError

Say = Callable[[Row], None]
"""Told of a row as soon as it is complete, or has failed."""

_PROVOKE, _RESOLVE = 100.0, 60.0
"""Seconds that the alerts of a stage get to arrive, and to be over."""
_LOOK = 0.25
_READY = 60.0


def missing(plan: Plan) -> list[str]:
    """Alerts of a plan that no cause provokes and for which no reason is given; empty when all is well."""
    known = {name for cause in CAUSES for name in cause.alerts} | set(UNPROVOKED)
    return [alert.name for alert in alerts(plan) if alert.name not in known]


def impossible(plan: Plan) -> dict[str, str]:
    """Alert → why its cause cannot be made in this deployment."""
    lacking = [cause for cause in CAUSES if cause.needs and cause.needs not in plan.services]
    return {name: f"it takes {cause.needs}, which is not there" for cause in lacking for name in cause.alerts}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how."""

    plan: Plan
    """As `drilled` makes it."""
    home: Home
    engine: Engine
    report: Report


def drill(setting: Setting, chosen: Collection[str], say: Say) -> list[Row]:
    """Provoke the chosen alerts, all of them when none is named; a row for each. Nothing is left running."""
    names = {alert.name for alert in alerts(setting.plan)}
    there = names & set(chosen) if chosen else names
    there -= set(impossible(setting.plan))
    causes = [cause for cause in CAUSES if there & set(cause.alerts)]
    rows: list[Row] = []
    with _ground(setting) as ground:
        for stage in sorted({cause.stage for cause in causes}):
            rows += _stage(ground, [cause for cause in causes if cause.stage == stage], there, say)
    return rows


def _stage(ground: Ground, causes: Sequence[Cause], there: Collection[str], say: Say) -> list[Row]:
    """Provoke; once more, without the others, what a machine with much to do was too slow for."""
    first = _provoke(ground, causes, there, say)
    missed = {row.cause for row in first if not row.complete}
    again = _provoke(ground, [cause for cause in causes if cause.name in missed], there, say)
    for row in again:
        row.attempt = 2
    return [row for row in first if row.cause not in missed] + again


@contextmanager
def _ground(setting: Setting) -> Iterator[Ground]:
    plan, home = setting.plan, setting.home
    deployment = Deployment(home, setting.engine.name, plan)
    with Receiver().serving() as receiver:
        credentials(plan, home, receiver)
        setting.engine.up(deployment, compress(render(narrowed(plan))), setting.report, _READY)
        try:
            with Ground(deployment, receiver).standing() as ground:
                yield ground
        finally:
            setting.engine.down(home, setting.report, volumes=True, images=False)
            home.forget()


def _provoke(ground: Ground, causes: Sequence[Cause], there: Collection[str], say: Say) -> list[Row]:
    """Every cause at once; each is removed as soon as its alerts have arrived."""
    watched = {
        cause.name: [
            Row(name, cause.name, cause.proofs.get(name, Proof.WHOLE), cause.labels)
            for name in cause.alerts
            if name in there
        ]
        for cause in causes
    }
    rows = [row for found in watched.values() for row in found]
    for cause in causes:
        for row in watched[cause.name]:
            row.began = time.monotonic()
        cause.begin(ground)
    waiting, end = list(causes), time.monotonic() + _PROVOKE
    while waiting and time.monotonic() < end:
        _look(ground, rows, say)
        for cause in [each for each in waiting if all(row.provoked for row in watched[each.name])]:
            waiting.remove(cause)
            _remove(ground, cause, watched)
        time.sleep(_LOOK)
    for cause in waiting:
        _remove(ground, cause, watched)
    end = time.monotonic() + _RESOLVE
    while time.monotonic() < end and any(row.provoked and not row.complete for row in rows):
        _look(ground, rows, say)
        time.sleep(_LOOK)
    return rows


def _remove(ground: Ground, cause: Cause, watched: Mapping[str, Sequence[Row]]) -> None:
    cause.end(ground)
    for row in watched[cause.name]:
        row.ended = time.monotonic()


def _look(ground: Ground, rows: Sequence[Row], say: Say) -> None:
    active, held = _active(ground), _held(ground)
    if active is None:
        return
    now = time.monotonic()
    for row in rows:
        before = row.complete
        path = HEARTBEAT if row.proof is Proof.ENDLESS else TOLD
        row.look(now, active, held, ground.receiver.notices(path))
        if row.complete and not before:
            say(replace(row))


def _active(ground: Ground) -> list[Mapping[str, str]] | None:
    """Labels of what fires in Prometheus; None when it does not answer."""
    try:
        found = ground.ask(Service.PROMETHEUS, "/api/v1/alerts")["data"]["alerts"]
    except EngineError:
        return None
    return [one["labels"] for one in found if one["state"] == "firing"]


def _held(ground: Ground) -> list[Mapping[str, str]]:
    """Labels of what Alertmanager holds back because of another alert."""
    try:
        found = ground.ask(Service.ALERTMANAGER, "/api/v2/alerts")
    except EngineError:
        return []
    return [one["labels"] for one in found or () if one["status"]["inhibitedBy"]]
