"""Carrying a deployment to a site without a registry: images, wheels and the rendered profile in one file."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.artifacts.model import Artifact
from loom.deploy.images.archive import extract, measure, writable, write
from loom.deploy.images.daemon import Daemon
from loom.deploy.images.manifest import IMAGES, PROFILE, WHEELS, Manifest
from loom.deploy.images.model import Image, Origin, Pin
from loom.errors import EngineError, InputError, Problem


@dataclass(frozen=True, slots=True)
class Cargo:
    """What goes into a bundle."""

    profile: str
    """Its name."""
    images: Sequence[Image]
    artifacts: Sequence[Artifact]
    """The rendered profile."""
    wheels: Sequence[Path] = field(default_factory=tuple)
    incomplete: bool = False
    """Whether images that are not here may be left out."""


def save(cargo: Cargo, file: Path, daemon: Daemon) -> Manifest:
    """Write the bundle; EngineError when an image is not here, WriteError when the disk does not take it."""
    here = [image for image in cargo.images if _usable(image)]
    absent = [image.reference for image in cargo.images if not _usable(image)]
    if absent and not (cargo.incomplete and here):
        hint = "build or pull it, or leave it out: --allow-missing"
        raise EngineError(
            *(Problem(f"{reference} is not on this machine", hint=hint) for reference in absent)
        )
    if not file.parent.is_dir():
        raise InputError(Problem("there is no such folder", str(file.parent)))
    with writable(file), tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as name:
        sources = _gather(cargo, Path(name))
        # A full disk is Docker's to tell here: it writes this file.
        daemon.save([image.reference for image in here], sources[IMAGES])
        members = {path: measure(source) for path, source in sorted(sources.items())}
        manifest = Manifest(cargo.profile, {one.reference: one.id for one in here}, tuple(absent), members)
        write(file, manifest, sources)
    return manifest


def _usable(image: Image) -> bool:
    return image.origin is not Origin.MISSING and image.pin is not Pin.ABSENT


def _gather(cargo: Cargo, folder: Path) -> dict[str, Path]:
    """Path in the bundle → file; the rendered profile is written, the images are not yet there."""
    sources = {f"{WHEELS}{wheel.name}": wheel for wheel in cargo.wheels}
    for artifact in cargo.artifacts:
        target = folder / PROFILE / artifact.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(artifact.text, encoding="utf-8")
        sources[f"{PROFILE}{artifact.path}"] = target
    return sources | {IMAGES: folder / IMAGES}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a bundle is to be loaded."""

    file: Path
    folder: Path
    """Gets `wheels/` and `profile/`; must not be there, or be empty."""
    expected: str = ""
    """sha256 of the manifest, when known from elsewhere than the bundle."""
    force: bool = False
    """Whether images that were pulled may lose their references to the bundle's."""


def load(delivery: Delivery, daemon: Daemon) -> Manifest:
    """Check all of a bundle, then load its images and put its files in place.

    InputError when it is damaged, changed or incomplete, or would take a pulled image's place; EngineError
    when Docker refuses it. Nothing was loaded then, unless Docker itself stopped half-way.
    """
    _empty(delivery.folder)
    parent = delivery.folder.absolute().parent
    with writable(parent):
        parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=parent, prefix=f".{delivery.folder.name}."))
    try:
        manifest = extract(delivery.file, work, delivery.expected)
        if not delivery.force:
            _refuse_replacing(manifest.images, daemon)
        daemon.load(work / IMAGES)
        _compare(manifest.images, daemon)
        (work / IMAGES).unlink()
        _place(work, delivery.folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest


def _empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            Problem("is there already, and not empty", str(folder), hint="take another with --output")
        )


def _refuse_replacing(images: Mapping[str, str], daemon: Daemon) -> None:
    problems = []
    for reference, identity in images.items():
        here = daemon.inspect(reference)
        if here and here.id != identity and here.origin is not Origin.BUILT:
            message = f"{reference} is here already, {here.origin}, and another image than the bundle's"
            problems.append(Problem(message, hint="--force gives its reference to the bundle's"))
    if problems:
        raise InputError(*problems)


def _compare(images: Mapping[str, str], daemon: Daemon) -> None:
    """Docker says what it has loaded: it must be what the manifest promised."""
    problems = [
        Problem(f"{reference} was loaded and is not the image that the manifest names")
        for reference, identity in images.items()
        if (here := daemon.inspect(reference)) is None or here.id != identity
    ]
    if problems:
        raise EngineError(*problems)


def _place(work: Path, folder: Path) -> None:
    with writable(folder):
        if folder.is_dir():
            folder.rmdir()  # empty, as was seen
        work.chmod(0o755)
        work.replace(folder)
