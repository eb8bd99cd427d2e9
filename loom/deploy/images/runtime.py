"""The Loom runtime's image: this repository's wheel and its locked packages on a small Python."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.deploy.images.base import Say, python_base
from loom.deploy.images.context import below, content
from loom.deploy.images.daemon import Daemon
from loom.deploy.images.wheels import LOCK, QUESTION, build_wheel, installed, target, unpack
from loom.errors import EngineError, Problem

CHECKOUT = Path(__file__).parents[3]
FILES = ("Dockerfile", "pyproject.toml", "README.md")
FOLDERS = ("loom", "blueprints", "profiles")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the image is made from."""

    checkout: Path = CHECKOUT

    def require(self) -> None:
        """EngineError when there is no repository to build from: a wheel holds no Dockerfile."""
        if not all((self.checkout / name).is_file() for name in FILES):
            hint = "run this in a checkout, or load a bundle: loom-deploy images load FILE"
            raise EngineError(
                Problem("Loom's own image is built from its repository, which is not here", hint=hint)
            )

    def content(self) -> str:
        """sha256 of all that goes into the image, its base apart."""
        files = [(name, self.checkout / name) for name in FILES]
        for folder in FOLDERS:
            files += [(f"{folder}/{name}", path) for name, path in below(self.checkout / folder)]
        return content([*files, ("requirements.txt", LOCK)])

    def stage(self, daemon: Daemon, folder: Path, environ: Mapping[str, str], say: Say) -> "Base":
        """Make the build context in the empty `folder`."""
        dockerfile = (self.checkout / "Dockerfile").read_text()
        base = python_base(dockerfile, daemon, environ, say)
        wanted = target(daemon.answer(base, "python3", "-c", QUESTION))
        # Apart from our own: packages change seldom, and Docker keeps their layer.
        shutil.copytree(installed(wanted, environ), folder / "packages", copy_function=_link)
        own = build_wheel(self.checkout, folder, environ)
        unpack(wanted, [own], folder / "own", environ)
        own.unlink()
        shutil.copyfile(self.checkout / "Dockerfile", folder / "Dockerfile")
        return Base(base, wanted.python)


@dataclass(frozen=True, slots=True)
class Base:
    """What the image stands on."""

    reference: str
    python: str
    """Version of its Python: `3.11`."""


def _link(origin: str, target: str) -> None:
    """A second name where that can be; the cache and the context lie on one disk."""
    try:
        os.link(origin, target)
    except OSError:
        shutil.copyfile(origin, target)
