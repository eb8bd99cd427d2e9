"""Ports that somebody else has: who it is, and which offset of ours avoids all of them."""

import subprocess
import time
from collections.abc import Mapping, Sequence

from loom.deploy.engine import processes
from loom.deploy.plan.model import Plan, Port
from loom.deploy.plan.ports import LAST
from loom.errors import PortConflictError, Problem

LINGER = 1.0
"""Seconds that a connection of a deployment just stopped may hold on to a port."""
_POLL = 0.1
_STEP = 100
"""Between two offsets that are tried."""


def refuse(
    plan: Plan, ports: Sequence[Port], patience: float = 0.0, containers: Mapping[int, str] | None = None
) -> None:
    """PortConflictError naming every port that is not free after `patience` seconds, and who has it.

    `containers` are known holders, port → container name: Docker can hold a port without any process.
    """
    known, end = containers or {}, time.monotonic() + patience
    while taken := [port for port in ports if port.native in known or not processes.free(port.native)]:
        if time.monotonic() >= end:
            raise PortConflictError(*(_problem(plan, port, known) for port in taken))
        time.sleep(_POLL)


def offset(plan: Plan) -> int | None:
    """The lowest offset above the profile's, in steps, with which all of its ports are free; or None."""
    now = plan.profile.ports.offset
    room = LAST - max(port.native for port in plan.ports)
    for more in range(_STEP, room + 1, _STEP):
        if all(processes.free(port.native + more) for port in plan.ports):
            return now + more
    return None


def holder(port: int) -> str:
    """Who has a port, a container by its name."""
    who = processes.holder(port)
    container = _publisher(port) if "docker-proxy" in who else ""
    return f"container {container}" if container else who


def _problem(plan: Plan, port: Port, containers: Mapping[int, str]) -> Problem:
    known = containers.get(port.native)
    who = f"container {known}" if known else holder(port.native)
    free = offset(plan)
    way = f"--set ports.offset={free}" if free is not None else "other ports in the profile"
    message = f"port {port.native} ({port.service} {port.purpose}) is taken by {who}"
    return Problem(message, hint=f"stop it, or take {way}; nothing was started")


def _publisher(port: int) -> str:
    """The container that publishes a port, by Docker's word; empty when Docker says nothing."""
    command = ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]
    try:
        done = subprocess.run(  # noqa: S603 - docker as found on PATH
            command, capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ", ".join(done.stdout.split())
