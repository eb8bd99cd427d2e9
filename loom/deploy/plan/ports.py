"""Ports that cannot be: two services on one, or beyond the last there is."""

from collections import defaultdict
from collections.abc import Iterator

from loom.deploy.plan.finding import at
from loom.deploy.plan.layout import chosen
from loom.deploy.plan.model import Plan, Port
from loom.errors import Problem

LAST = 65535


def shared(plan: Plan) -> Iterator[Problem]:
    """Two services on one port; named at the one the profile can change."""
    users: dict[int, list[Port]] = defaultdict(list)
    for port in plan.ports:
        users[port.native].append(port)
    for number, ports in users.items():
        if len(ports) > 1:
            yield _collision(plan, number, ports)


def _collision(plan: Plan, number: int, ports: list[Port]) -> Problem:
    ours = sorted(ports, key=lambda port: chosen(port) is None)
    names = " and ".join(_name(port) for port in ours)
    # The last one the profile chose: reading from the top, that is where the collision appears.
    paths = [f"ports.{path}" for port in ports if (path := chosen(port))]
    message, hint = f"port {number} is taken twice: {names}", "choose another port"
    return at(plan.profile, paths[-1], message, hint, (*paths, "ports.offset"))


def _name(port: Port) -> str:
    return chosen(port) or f"{port.service}'s own {port.purpose}, which is fixed"


def beyond(plan: Plan) -> Iterator[Problem]:
    """A port that the offset pushes out of range; one problem for all of them."""
    over = [port for port in plan.ports if port.native > LAST]
    if over:
        names = ", ".join(chosen(port) or f"{port.service} {port.purpose}" for port in over)
        offset = plan.profile.ports.offset
        highest = max(port.native for port in plan.ports) - offset
        message = f"with {offset} added, ports are beyond {LAST}: {names}"
        yield at(plan.profile, "ports.offset", message, f"write at most {LAST - highest}")


CHECKS = (shared, beyond)
