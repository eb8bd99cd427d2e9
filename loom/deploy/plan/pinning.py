"""Pinned images: the lock file's digests put behind the references of the plan's programs."""

from collections.abc import Sequence
from dataclasses import replace

from loom.deploy.plan import layout
from loom.deploy.plan.model import Container, Plan
from loom.deploy.profile.lockfile import Pins
from loom.deploy.profile.model import Profile
from loom.deploy.programs import Program
from loom.errors import PlanError, Problem


def pinned(containers: Sequence[Container], pins: Pins) -> tuple[Container, ...]:
    """The containers with their programs pinned; PlanError when the lock file speaks of other images."""
    known = {container.program.tagged for container in containers}
    strange = sorted(set(pins.digests) - known)
    if strange:
        hint = "the versions have changed since: run loom-deploy images lock again"
        raise PlanError(
            *(Problem(f"{name} is no image of this profile", file=pins.file, hint=hint) for name in strange)
        )
    return tuple(replace(container, program=pin(container.program, pins)) for container in containers)


def pin(program: Program, pins: Pins) -> Program:
    """The program as the lock file has it: from its registry, with its digest; unchanged when not there."""
    digest = pins.digests.get(program.tagged, "")
    if not digest:
        return program
    image = f"{pins.registry}/{program.image}" if pins.registry else program.image
    return replace(program, image=image, digest=digest)


def pins_of(plan: Plan) -> Pins:
    """The pins that a plan was made with."""
    digests, registry = {}, ""
    for plain, container in zip(layout.containers(plan.profile), plan.containers, strict=True):
        here, there = plain.program, container.program
        if there.digest and not here.digest:
            digests[here.tagged] = there.digest
            registry = there.image.removesuffix(here.image).removesuffix("/")
    return Pins(registry, digests)


def still_known(profile: Profile, pins: Pins) -> Pins:
    """Those pins whose images a profile has: what an older version deployed had perhaps others."""
    known = {container.program.tagged for container in layout.containers(profile)}
    return replace(pins, digests={name: one for name, one in pins.digests.items() if name in known})
