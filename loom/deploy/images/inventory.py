"""Which images a deployment needs, and how each stands on this machine."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from loom.deploy import programs
from loom.deploy.images.daemon import Daemon
from loom.deploy.images.model import SOURCE, Image, Origin, Pin, Present, Wanted
from loom.deploy.plan.model import Plan
from loom.deploy.programs import Program
from loom.errors import InputError, Problem

LOOM = "loom"
"""The service that runs Loom itself; the plan has no container of it."""
_UPSTREAM = {one.name: one for one in vars(programs).values() if isinstance(one, Program)}


def wanted(plan: Plan, services: Sequence[str] = ()) -> tuple[Wanted, ...]:
    """The images of a plan's services, or of some of them; InputError for a service it does not have."""
    found = [
        Wanted(str(container.service), container.program, _UPSTREAM[container.program.name])
        for container in plan.containers
    ]
    found.append(Wanted(LOOM, programs.LOOM, programs.LOOM))
    names = [one.service for one in found]
    unknown = [name for name in services if name not in names]
    if unknown:
        raise InputError(*(_unknown(name, names) for name in unknown))
    return tuple(one for one in found if not services or one.service in services)


def inventory(images: Sequence[Wanted], daemon: Daemon) -> tuple[Image, ...]:
    """How each image stands on this machine."""
    return tuple(_look(one, daemon) for one in images)


def _look(one: Wanted, daemon: Daemon) -> Image:
    reference = one.program.reference
    here = daemon.inspect(reference)
    if one.program.digest:
        state = Pin.HERE if here else Pin.ABSENT
        # What stands under the tag alone is worth showing: it is what the user has, and not what runs.
        return _row(one, here or daemon.inspect(one.program.tagged), state)
    return _row(one, here, Pin.NONE)


def _row(one: Wanted, here: Present | None, state: Pin) -> Image:
    empty = Image(one.service, one.program.reference, Origin.MISSING, state)
    if here is None:
        return empty
    return replace(empty, origin=here.origin, id=here.id, size=here.size, source=here.labels.get(SOURCE, ""))


def _unknown(name: str, names: Sequence[str]) -> Problem:
    close = get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"its services: {', '.join(names)}"
    return Problem(f"the profile has no service {name!r}", hint=hint)
