"""Building: what of a deployment's images can be made here, is; what is made already, or not ours, stays."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.images.base import Say
from loom.deploy.images.context import find_certificates, labels, source, stage, standin_content
from loom.deploy.images.daemon import Daemon
from loom.deploy.images.model import CONTENT, Action, Origin, Present, Result, Wanted
from loom.deploy.images.runtime import Runtime
from loom.deploy.images.upstream import STANDINS
from loom.deploy.programs import LOOM
from loom.deploy.toolchain import cache_root, require
from loom.errors import EngineError, Problem, WriteError

MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "AMD64": "amd64"}
"""Python's name of a processor → Docker's."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """With what images are built."""

    daemon: Daemon
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    runtime: Runtime = field(default_factory=Runtime)
    say: Say = lambda _line: None
    force: bool = False
    """Whether to build also what is unchanged, and what would replace an image that is not ours."""


def build(images: Sequence[Wanted], workshop: Workshop, report: Callable[[Result], None]) -> list[Result]:
    """Build each image that can be; each is tagged when it is whole, or not at all.

    What is needed is looked for first: ToolchainError or EngineError name all that is missing before anything
    is built. Grafana's image cannot be built by anybody but its makers: its result says so.
    """
    paths = _programs(images, workshop)
    certificates = find_certificates()
    results = []
    for one in images:
        result = _one(one, workshop, paths, certificates)
        report(result)
        results.append(result)
    return results


def _programs(images: Sequence[Wanted], workshop: Workshop) -> Mapping[str, Path]:
    """Name → path of every program that goes into an image."""
    standins = [STANDINS[one.program.name] for one in images if one.program.name in STANDINS]
    if standins:
        _same_machine(workshop.daemon.platform())
    if any(one.program.name == LOOM.name for one in images):
        workshop.runtime.require()
    return require(*(program for each in standins for program, _ in each.files), environ=workshop.environ)


def _same_machine(engine: str) -> None:
    """The toolchain's programs run on this machine: so must the engine's containers."""
    ours = f"{platform.system().lower()}/{MACHINES.get(platform.machine(), platform.machine())}"
    if engine != ours:
        message = f"containers run on {engine} here, the toolchain's programs on {ours}"
        raise EngineError(
            Problem(message, hint="build on a machine like the engine's, then images save and load")
        )


def _one(one: Wanted, workshop: Workshop, paths: Mapping[str, Path], certificates: Path) -> Result:
    reference = one.upstream.tagged
    standin = STANDINS.get(one.program.name)
    begun = time.monotonic()
    here = workshop.daemon.inspect(reference)
    if standin is None and one.program.name != LOOM.name:
        return _impossible(one, here)
    if not workshop.force and here and here.origin is not Origin.BUILT:
        detail = f"{here.origin}, not built here; --force replaces it"
        return Result(one.service, reference, Action.KEPT, detail)
    content = standin_content(standin, paths, certificates) if standin else workshop.runtime.content()
    if not workshop.force and here and here.labels.get(CONTENT) == content:
        return Result(one.service, reference, Action.UNCHANGED, _not_used(one))
    with _scratch(workshop.environ) as name:
        folder = Path(name)
        if standin:
            with _writing(folder):
                stage(standin, paths, certificates, folder)
            detail = f"from {source(standin)}"
            marks = labels(standin.program.version, source(standin), content)
            workshop.daemon.build(folder, reference, marks, {})
        else:
            detail = _build_runtime(reference, content, workshop, folder)
    if here and here.origin is Origin.BUILT:
        workshop.daemon.remove(here.id)  # what the new one replaced
    detail = "; ".join(part for part in (detail, _not_used(one)) if part)
    return Result(one.service, reference, Action.BUILT, detail, time.monotonic() - begun)


def _build_runtime(reference: str, content: str, workshop: Workshop, folder: Path) -> str:
    daemon = workshop.daemon
    with _writing(folder):
        base = workshop.runtime.stage(daemon, folder, workshop.environ, workshop.say)
    marks = labels(LOOM.version, f"loom-deploy@{LOOM.version}", content)
    daemon.build(folder, reference, marks, {"BASE": base.reference})
    return f"on {base.reference}, Python {base.python}"


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A disk that does not take an image's files is a WriteError."""
    try:
        yield
    except OSError as error:
        message = f"the image's files cannot be written: {error.strerror or error}"
        raise WriteError(Problem(message, str(folder))) from None


def _scratch(environ: Mapping[str, str]) -> "tempfile.TemporaryDirectory[str]":
    """A folder beside the toolchain's programs, so that those can be linked instead of copied."""
    root = cache_root(environ)
    with _writing(root):
        root.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=root, prefix="image-")


def _impossible(one: Wanted, here: Present | None) -> Result:
    reference = one.upstream.tagged
    if here:
        return Result(one.service, reference, Action.KEPT, f"{here.origin}; only its makers can build it")
    detail = (
        f"it exists as an image only: docker pull {reference}, or docker load on a machine without a registry"
    )
    return Result(one.service, reference, Action.IMPOSSIBLE, detail)


def _not_used(one: Wanted) -> str:
    """A profile that pins digests runs other images than those that are built here: say so."""
    return "the profile pins a digest and does not use it" if one.program.digest else ""
