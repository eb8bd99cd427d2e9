"""A deployment on this machine: its name, its plan, and the folders that are its own."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from loom.deploy.artifacts.protection import RENDERED
from loom.deploy.credentials.access import Access, access
from loom.deploy.plan import derive
from loom.deploy.plan.identity import FOLDER
from loom.deploy.plan.model import Plan
from loom.deploy.plan.pinning import pins_of, still_known
from loom.deploy.profile.lockfile import Pins
from loom.deploy.profile.model import Profile
from loom.errors import EngineError, InputError, MachineError, PortConflictError, Problem, WriteError

_LONGEST = 80
"""Bytes. A socket's path is limited to 104 (macOS) or 108, and supervisord adds `/supervisor.sock.12345`."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def state_root(environ: Mapping[str, str]) -> Path:
    """`${XDG_STATE_HOME}/loom-deploy`, by default below `~/.local/state`; MachineError without a home."""
    base = environ.get("XDG_STATE_HOME", "")
    # The standard says to ignore what is not absolute.
    if base.startswith("/"):
        return Path(base) / "loom-deploy"
    try:
        return Path.home() / ".local" / "state" / "loom-deploy"
    except RuntimeError as error:  # a container's user without an entry in /etc/passwd
        hint = "set HOME or XDG_STATE_HOME"
        raise MachineError(Problem("this user has no home directory", hint=hint)) from error


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """A disk that is full, or a folder that may not be written, is a WriteError that names the file."""
    try:
        yield
    except OSError as error:
        raise WriteError(Problem(f"cannot be written: {error.strerror}", str(file))) from error


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one deployment."""

    root: Path

    @classmethod
    def of(cls, name: str, environ: Mapping[str, str]) -> "Home":
        """The home of a deployment by its name; ValueError when it is no name."""
        if not _NAME.fullmatch(name):
            message = f"{name!r} is not a name: small letters, digits and hyphens, a letter first, at most 40"
            raise ValueError(message)
        return cls(state_root(environ) / name)

    @property
    def name(self) -> str:
        """The deployment's name."""
        return self.root.name

    @property
    def record(self) -> Path:
        """The file that says what is deployed; there from the first moment of `up` to the end of `down`."""
        return self.root / "deployment.json"

    @property
    def unchanged(self) -> timedelta:
        """How long ago the last `up` was; the longest time there is without a record."""
        try:
            return timedelta(seconds=max(0.0, time.time() - self.record.stat().st_mtime))
        except OSError:
            return timedelta.max

    @property
    def rendered(self) -> Path:
        """The rendered configuration."""
        return self.root / RENDERED

    @property
    def secrets(self) -> Path:
        """Certificates and secrets, a folder for each party; theirs who made them, never rendered."""
        return self.rendered / FOLDER

    @property
    def data(self) -> Path:
        """The programs' data."""
        return self.root / "data"

    @property
    def has_data(self) -> bool:
        """Whether a program has left any there."""
        return any(path.is_file() for path in self.data.rglob("*"))

    @property
    def run(self) -> Path:
        """Socket, pid and the programs' logs, `<service>.log` each."""
        return self.root / "run"

    @property
    def short_run(self) -> Path:
        """The same folder by a path that is short enough for a socket: a link to it where its own is not."""
        if len(os.fsencode(self.run)) <= _LONGEST:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"loom-deploy-{digest}"

    def forget(self) -> None:
        """Remove the record, and the link of a long path; WriteError."""
        try:
            with suppress(NotADirectoryError):  # somebody's file has the name: there is no record in it
                self.record.unlink(missing_ok=True)
            if self.short_run != self.run:
                self.short_run.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(Problem(f"cannot be removed: {error.strerror}", str(error.filename))) from error

    @contextmanager
    def as_it_was(self) -> Iterator[None]:
        """Around a start: when ports are taken and nothing was started, leave nothing where nothing was."""
        new = not self.root.exists()
        try:
            yield
        except PortConflictError:
            if new:
                self.forget()
                shutil.rmtree(self.root, ignore_errors=True)
            raise

    def make(self) -> None:
        """Make the folders; EngineError when they cannot be made, or the link leads elsewhere."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            self._show_secrets()
            if self.short_run != self.run and not self.short_run.is_symlink():
                self.short_run.symlink_to(self.run)
        except OSError as error:
            message = f"cannot make the deployment's folders: {error.strerror}"
            raise EngineError(Problem(message, str(error.filename))) from error
        # Whoever may write to the temporary folder could have put a link of theirs there.
        if self.short_run != self.run and self.short_run.readlink() != self.run:
            raise EngineError(
                Problem("does not lead to the deployment", str(self.short_run), hint="remove it")
            )

    def _show_secrets(self) -> None:
        """Let `../secrets` lead to the credentials from the folder that the programs run in.

        A render replaces the rendered folder; who runs in the old one would find nothing beside it.
        """
        link = self.root / FOLDER
        if not link.is_symlink():
            link.symlink_to(self.secrets.relative_to(self.root))


@dataclass(frozen=True, slots=True)
class Deployment:
    """What runs, or is to run, under a name."""

    home: Home
    engine: str
    """Name of the engine: `native`."""
    plan: Plan
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Service → digest of the files it was started with; what an engine compares to see what changed."""
    started: float = 0.0
    """When it was started, in seconds since 1970: telemetry from before is no proof of it."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.home.name

    @property
    def access(self) -> Access:
        """What we show it."""
        return access(self.plan, self.home.secrets, self.name)

    def save(self) -> None:
        """Write the record, in one step; WriteError, and the former one stays."""
        pins = pins_of(self.plan)
        document = {
            "configuration": dict(self.configuration),
            "engine": self.engine,
            "name": self.name,
            "started": self.started,
            "pins": {"registry": pins.registry, "digests": dict(pins.digests)},
            "profile": self.plan.profile.model_dump(mode="json"),
        }
        new = self.home.record.with_suffix(".new")
        try:
            with writing(self.home.record):
                new.write_text(json.dumps(document, indent=2) + "\n")
                new.replace(self.home.record)
        except WriteError:
            with suppress(OSError):
                new.unlink()
            raise


def load(home: Home) -> Deployment | None:
    """The deployment of a home; None when nothing is deployed, EngineError when its record is damaged."""
    try:
        document = json.loads(home.record.read_text())
        profile = Profile.model_validate_json(json.dumps(document["profile"]))
        digests, started = dict(document["configuration"]), float(document["started"])
        plan = derive(profile, still_known(profile, _pins(document)))
        return Deployment(home, str(document["engine"]), plan, digests, started)
    except FileNotFoundError:
        return None
    # An InputError too: a profile that is refused now was perhaps taken by an older version.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError) as error:
        problem = Problem(
            f"the record cannot be read: {'; '.join(str(error).splitlines())}",
            str(home.record),
            hint=f"remove {home.root}: it is no folder"
            if isinstance(error, NotADirectoryError)
            else f"run `loom-deploy down --name {home.name}`, then `loom-deploy up` again",
        )
        raise EngineError(problem) from error


def recorded(home: Home) -> Deployment | None:
    """What is deployed; None also when the record is damaged: then everything is started anew."""
    with suppress(EngineError):
        return load(home)
    return None


def _pins(document: Mapping[str, Any]) -> Pins:
    """What a record says of pinned images; an older one says nothing."""
    said = document.get("pins", {"registry": "", "digests": {}})
    return Pins(str(said["registry"]), {str(name): str(digest) for name, digest in said["digests"].items()})


def deployed(environ: Mapping[str, str]) -> list[str]:
    """Names of all deployments that have a record, sorted."""
    return sorted(record.parent.name for record in state_root(environ).glob("*/deployment.json"))
