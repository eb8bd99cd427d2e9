"""The wheels that Loom runs on: downloaded on this machine, by hash, for the machine they will run on.

`requirements.txt` beside this file locks them; `just lock` renews it. They are kept in the user's cache, so
that a second build asks no registry.
"""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from loom.deploy.images.command import run
from loom.deploy.toolchain import Runner, cache_root
from loom.errors import EngineError, Problem

LOCK = Path(__file__).with_name("requirements.txt")
OLDEST = 5
"""Minor version of the oldest glibc that wheels are built for."""
_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Minor version of glibc → the older name of its wheels."""


@dataclass(frozen=True, slots=True)
class Target:
    """The Python that wheels are for, on Linux with glibc."""

    python: str
    """`3.11`."""
    machine: str
    """`x86_64`."""
    glibc: int
    """Minor version: 36 for 2.36."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """Every platform tag of wheels that run there, the newest first."""
        tags: list[str] = []
        for minor in range(self.glibc, OLDEST - 1, -1):
            names = (f"manylinux_2_{minor}", *([_NAMES[minor]] if minor in _NAMES else []))
            tags += [f"{name}_{self.machine}" for name in names]
        return (*tags, f"linux_{self.machine}")

    @property
    def flags(self) -> tuple[str, ...]:
        """What makes pip choose for this target instead of for the Python it runs on."""
        platforms = (part for tag in self.platforms for part in ("--platform", tag))
        return ("--python-version", self.python, "--only-binary", ":all:", *platforms)


QUESTION = (
    "import platform, sys; print('%d.%d' % sys.version_info[:2], platform.machine(), platform.libc_ver()[1])"
)
"""A program for the Python in question; `target` reads its answer."""


def target(answer: str) -> Target:
    """The target from what `QUESTION` printed: `3.11 x86_64 2.36`; EngineError when there is no glibc."""
    match answer.split():
        case [python, machine, libc] if libc.startswith("2."):
            return Target(python, machine, int(libc.split(".")[1]))
    hint = "take one with Python and glibc, such as python:3.13-slim"
    raise EngineError(Problem(f"the base image does not run Loom: its Python said {answer!r}", hint=hint))


def here() -> Target:
    """This Python, on this machine or one like it."""
    libc = platform.libc_ver()[1] or "2.28"
    return Target(
        f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine(), int(libc.split(".")[1])
    )


def fetch(wanted: Target, environ: Mapping[str, str], runner: Runner | None = None) -> Path:
    """The folder with every locked wheel for the target, downloaded when it is not in the cache yet."""

    def download(folder: Path) -> None:
        options = ("--quiet", "--no-deps", "--require-hashes", "--requirement", str(LOCK))
        run(
            (*find_pip(environ), "download", *options, "--dest", str(folder), *wanted.flags),
            folder.parent,
            runner,
        )

    return _once(f"{_key(wanted)}-wheels", environ, download)


def installed(wanted: Target, environ: Mapping[str, str]) -> Path:
    """The folder with the packages of those wheels, side by side, as a container takes them."""
    wheels = sorted(fetch(wanted, environ).glob("*.whl"))
    return _once(f"{_key(wanted)}-packages", environ, lambda folder: unpack(wanted, wheels, folder, environ))


def _key(wanted: Target) -> str:
    return sha256(f"{wanted}\0{LOCK.read_text()}".encode()).hexdigest()[:16]


def _once(name: str, environ: Mapping[str, str], make: Callable[[Path], None]) -> Path:
    """The folder of that name in the cache; made whole, or not at all, when it is not there."""
    cache = cache_root(environ) / "python"
    done = cache / name
    if done.is_dir():
        return done
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as scratch:
        work = Path(scratch) / name
        make(work)
        if not done.is_dir():  # another build may have been quicker
            work.replace(done)
    return done


def build_wheel(checkout: Path, folder: Path, environ: Mapping[str, str]) -> Path:
    """This repository's own wheel, built into `folder`."""
    options = ("--quiet", "--no-deps", "--wheel-dir", str(folder))
    run((*find_pip(environ), "wheel", *options, str(checkout)), folder)
    return next(folder.glob("loom_deploy-*.whl"))


def unpack(wanted: Target, wheels: list[Path], folder: Path, environ: Mapping[str, str]) -> None:
    """Install wheels of the target into `folder`, side by side, without any registry."""
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile", "--target", str(folder))
    run((*find_pip(environ), "install", *options, *wanted.flags, *map(str, wheels)), folder.parent)
    # Scripts begin with the path of this machine's Python.
    shutil.rmtree(folder / "bin", ignore_errors=True)


def find_pip(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The command that is pip: this Python's own, or one on PATH; EngineError when there is none."""
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    path = (os.environ if environ is None else environ).get("PATH", "")
    found = next((place for name in ("pip", "pip3") if (place := shutil.which(name, path=path))), None)
    if found is None:
        raise EngineError(
            Problem("there is no pip to download wheels with", hint="install it: python -m ensurepip")
        )
    return (found,)
