"""Pinning: which digest stands behind each reference, asked of the registry that the images come from."""

from collections.abc import Sequence
from pathlib import Path

from loom.deploy.images.archive import writable
from loom.deploy.images.daemon import Daemon
from loom.deploy.images.model import Origin, Wanted
from loom.deploy.profile.lockfile import Pins, parsed
from loom.deploy.programs import LOOM
from loom.deploy.writer.replacement import replacing
from loom.errors import EngineError, InputError, Problem

_UPSTREAM = "take the upstream image (docker pull), or your own registry: --registry HOST:PORT"


def lock(images: Sequence[Wanted], daemon: Daemon, registry: str = "", *, incomplete: bool = False) -> Pins:
    """The digest of each image; EngineError with every image that has none.

    Without a registry it is that of the reference's own, where the image was or can be pulled. With one,
    images of this machine are pushed there, others are pulled from it. `incomplete` leaves out those that are
    nowhere. Loom's image is never pinned: it is of this repository, and no registry's.
    """
    digests: dict[str, str] = {}
    problems: list[Problem] = []
    for one in images:
        if one.program.name == LOOM.name:
            continue
        try:
            digests[one.upstream.tagged] = _digest(one, daemon, registry)
        except EngineError as error:
            problems += error.problems
    if problems and not (incomplete and digests):
        raise EngineError(*problems)
    return Pins(registry, digests)


def merged(current: Pins, new: Pins) -> Pins:
    """The new pins beside those of other services; InputError when those are of another registry."""
    others = {name: digest for name, digest in current.digests.items() if name not in new.digests}
    if others and current.registry != new.registry:
        places = " and ".join(registry or "their own" for registry in (current.registry, new.registry))
        message = f"one lock file cannot hold images of two registries: {places}"
        raise InputError(Problem(message, current.file, hint="lock all services at once"))
    return Pins(new.registry, {**others, **new.digests}, current.file)


def write(pins: Pins, file: Path) -> None:
    """Write the lock file in one step, after reading it back; WriteError when the disk does not take it."""
    text = pins.text()
    parsed(text, str(file))
    with writable(file), replacing(file) as stream:
        stream.write(text.encode())


def _digest(one: Wanted, daemon: Daemon, registry: str) -> str:
    upstream = one.upstream
    here = daemon.inspect(upstream.tagged)
    if registry:
        image, reference = f"{registry}/{upstream.image}", f"{registry}/{upstream.tagged}"
        if here:
            daemon.tag(upstream.tagged, reference)
            daemon.push(reference)
        else:
            daemon.pull(reference)
    else:
        image, reference = upstream.image, upstream.tagged
        if here and here.origin is Origin.BUILT:
            raise EngineError(Problem(f"{reference} was built here: no registry has it", hint=_UPSTREAM))
        if here is None:
            daemon.pull(reference)
    return _only(image, reference, daemon)


def _only(image: str, reference: str, daemon: Daemon) -> str:
    """The digest that the registry gave; there is exactly one, or it is not clear which to pin."""
    found = daemon.inspect(reference)
    digests = [
        name.partition("@")[2] for name in (found.digests if found else ()) if name.startswith(f"{image}@")
    ]
    if len(digests) != 1:
        said = "no digest" if not digests else f"{len(digests)} digests"
        hint = _UPSTREAM if not digests else f"forget them first: docker rmi {reference}"
        raise EngineError(Problem(f"{reference} has {said} of its registry here", hint=hint))
    return digests[0]
