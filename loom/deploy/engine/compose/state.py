"""What a container's state means: ready, on its way, or why not. Pure but for asking whether it answers."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from loom.deploy.engine import readiness
from loom.deploy.engine.compose.daemon import Box
from loom.deploy.engine.protocol import ServiceStatus
from loom.deploy.plan.model import Plan, Service

RECENT = 300.0
"""Seconds for which a restart counts; Docker counts them since the container was made."""
ASKED = frozenset(Service)
"""Services that are asked on those ports that they publish; the others are ours."""

Ask = Callable[[Plan, Service], str]
"""Why a service does not answer; empty when it does."""


def statuses(
    plan: Plan, services: Sequence[str], boxes: Mapping[str, Box], now: float, ask: Ask
) -> tuple[ServiceStatus, ...]:
    """The services as they are at `now`, in seconds since 1970; `boxes` by service."""
    return tuple(_status(plan, service, boxes.get(service), now, ask) for service in services)


def _status(plan: Plan, service: str, box: Box | None, now: float, ask: Ask) -> ServiceStatus:
    url = readiness.shown(plan, Service(service)) if _asked(service) else ""
    if box is None:
        return ServiceStatus(service, "ABSENT", obstacle="there is no container", url=url)
    restarts = box.restarts if now - box.started < RECENT else 0
    uptime = max(0.0, now - box.started) if box.pid else 0.0
    obstacle = _obstacle(plan, box, ask)
    return ServiceStatus(service, _word(box), box.pid, uptime, obstacle, restarts, url)


def _word(box: Box) -> str:
    """What a supervisor calls it where both have a word."""
    if box.state == "exited" and not box.error:
        return "STOPPED"  # by somebody: Docker starts again what ends by itself
    return "FATAL" if box.state in {"exited", "dead"} else (box.health or box.state).upper()


def _obstacle(plan: Plan, box: Box, ask: Ask) -> str:
    if box.state != "running":
        return ended(box)
    if box.health == "unhealthy":
        return f"unhealthy: {box.checked}" if box.checked else "unhealthy"
    if _asked(box.service):
        return ask(plan, Service(box.service))
    return ""  # of these nothing is published, and a first check that is yet to come is no reason


def _asked(service: str) -> bool:
    """Whether it is a service of the plan, or one of its replicas."""
    with suppress(ValueError):
        return Service(service).role in ASKED
    return False


def ended(box: Box) -> str:
    """Why a container does not run."""
    if box.killed_for_memory:
        limit = f" of {box.memory // 2**20}MiB" if box.memory else ""
        return f"killed: it needed more memory than its limit{limit}"
    if box.error:
        return f"{box.state}: {box.error}"
    if box.state == "created":
        return "not started yet"
    return f"{box.state}: its last end was with exit code {box.exit_code}"
