"""What the engines under the smoke tests do each in their own way, and what all need of the machine.

An adapter for another engine implements `Engine` and is named in `ENGINES`; no test changes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest
import yaml

from loom.deploy.artifacts import compose
from loom.deploy.engine import Home
from loom.deploy.engine.compose.project import SERVICE_LABEL, project
from loom.deploy.engine.compose.whales import Whales
from loom.deploy.engine.processes import MARK
from loom.deploy.plan.model import Service, Site

Done = subprocess.CompletedProcess[str]

Limits = dict[str, Any]
"""Setting → value, as the rendered file spells both."""

SECONDS = 240
"""For one program to end."""
NOT_RUN = pytest.StashKey[dict[str, str]]()
"""Service that a test could not run → why; in the summary at the end."""
_GO = "GOMEMLIMIT"
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Program:
    """A Python program that reports to a stack."""

    source: str | Path
    """A module's name; or a file, whose text is given to the interpreter, so that it need not be there."""
    arguments: Sequence[str]
    environ: Mapping[str, str]
    """Variables besides those of the machine it runs on."""


class Engine(Protocol):
    """What an engine does in its own way."""

    name: str
    """For `up --engine`."""
    site: Site
    """Decides under which addresses the programs that report find the services."""
    committed: str
    """The fixture that brings up the committed deployment."""

    def python(self, home: Home, program: Program) -> Done:
        """Run a program to its end, where Loom runs beside this engine's deployments."""

    def pids(self, home: Home) -> dict[str, int]:
        """What runs of a deployment, as this machine sees it: service → pid; empty once it is down."""

    def configuration(self, home: Home) -> Path:
        """The folder of the rendered files that the programs read."""

    def limits(self, home: Home) -> dict[str, Limits]:
        """What holds for each running service, asked of what runs it."""

    def rendered_limits(self, home: Home) -> dict[str, Limits]:
        """The same as the rendered file has it, also for what does not run."""

    def keeps(self, home: Home) -> bool:
        """Whether data of a deployment is still there."""


class Native:
    """Services and programs are processes of this machine."""

    name = "native"
    site = Site.NATIVE
    committed = "native_services"
    _services = {"otelcol": Service.COLLECTOR}  # noqa: RUF012 - a constant; all others are named like their program

    def python(self, home: Home, program: Program) -> Done:
        """See `Engine.python`."""
        del home
        named = ["-m", program.source] if isinstance(program.source, str) else ["-"]
        return subprocess.run(
            [sys.executable, *named, *program.arguments],
            input=program.source.read_text() if isinstance(program.source, Path) else None,
            env={**clean(), **program.environ},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def pids(self, home: Home) -> dict[str, int]:
        """See `Engine.pids`."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(home.root):
                    found[str(self._services.get(process.name(), process.name()))] = process.pid
            except psutil.Error:
                continue
        return found

    def configuration(self, home: Home) -> Path:
        """See `Engine.configuration`."""
        return home.rendered / "native"

    def limits(self, home: Home) -> dict[str, Limits]:
        """See `Engine.limits`: from the environment that each process has."""
        environs = {name: psutil.Process(pid).environ() for name, pid in self.pids(home).items()}
        return {name: {_GO: found[_GO]} for name, found in environs.items() if name in set(Service)}

    def rendered_limits(self, home: Home) -> dict[str, Limits]:
        """See `Engine.rendered_limits`: supervisord's configuration."""
        file = RawConfigParser()
        file.read(self.configuration(home) / "supervisord.conf")
        programs = {name.removeprefix("program:"): file[name] for name in file if "environment" in file[name]}
        return {name: {_GO: _setting(text["environment"])} for name, text in programs.items()}

    def keeps(self, home: Home) -> bool:
        """See `Engine.keeps`."""
        return (home.data / "prometheus").is_dir()


class Compose:
    """Services are containers, and so is each program: of the Loom image, beside the stack."""

    name = "compose"
    site = Site.COMPOSE
    committed = "docker_services"

    def python(self, home: Home, program: Program) -> Done:
        """See `Engine.python`: through `loom-deploy run`, as a user does it."""
        named = ["-m", program.source] if isinstance(program.source, str) else ["-"]
        settings = [part for name, value in program.environ.items() for part in ("--env", f"{name}={value}")]
        command = ["run", "--name", home.name, *settings, "--", "python3", *named, *program.arguments]
        text = program.source.read_text() if isinstance(program.source, Path) else ""
        return deploy(home.root.parents[1], *command, text=text)

    def pids(self, home: Home) -> dict[str, int]:
        """See `Engine.pids`."""
        boxes = Whales().boxes(project(home).name)
        return {box.service: box.pid for box in boxes if box.pid}

    def configuration(self, home: Home) -> Path:
        """See `Engine.configuration`."""
        return home.rendered

    def limits(self, home: Home) -> dict[str, Limits]:
        """See `Engine.limits`: from what Docker holds each container to."""
        names = [box.name for box in Whales().boxes(project(home).name) if box.pid]
        told = subprocess.run(["docker", "inspect", *names], capture_output=True, check=True, timeout=SECONDS)
        services = {one["Config"]["Labels"][SERVICE_LABEL]: one for one in json.loads(told.stdout)}
        return {name: _held(one["HostConfig"], one["Config"]["Env"]) for name, one in services.items()}

    def rendered_limits(self, home: Home) -> dict[str, Limits]:
        """See `Engine.rendered_limits`: the compose file."""
        services = yaml.safe_load((home.rendered / compose.NAME).read_text())["services"]
        return {
            name: {
                **{key: service[key] for key in _KEYS},
                **{key: value for key, value in service.get("environment", {}).items() if key == _GO},
            }
            for name, service in services.items()
        }

    def keeps(self, home: Home) -> bool:
        """See `Engine.keeps`."""
        return bool(Whales().volumes(project(home).name))


ENGINES: dict[str, Callable[[], Engine]] = {"native": Native, "compose": Compose}


def clean() -> dict[str, str]:
    """Our variables without those that tell Loom where to report."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}


def deploy(state: Path, *arguments: str, text: str = "", **environ: str) -> Done:
    """`loom-deploy …` with its state in that folder, and what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "loom.cli", *arguments],
        input=text,
        env={**clean(), "XDG_STATE_HOME": str(state), **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


_KEYS = ("mem_limit", "memswap_limit", "pids_limit", "cap_drop", "security_opt", "restart")
"""What a rendered service says of its limits."""


def _held(host: dict[str, Any], environ: Iterable[str]) -> Limits:
    """Docker's words in those of a compose file."""
    variables = dict(variable.split("=", 1) for variable in environ)
    sizes = [f"{host[key] // _MIB}m" for key in ("Memory", "MemorySwap")]
    others = [host["PidsLimit"], host["CapDrop"], host["SecurityOpt"], host["RestartPolicy"]["Name"]]
    held = dict(zip(_KEYS, [*sizes, *others], strict=True))
    return {**held, **{key: value for key, value in variables.items() if key == _GO}}


def _setting(environment: str) -> str:
    """GOMEMLIMIT of supervisord's `NAME="value",…`."""
    return next(part for part in environment.split(",") if part.startswith(f"{_GO}=")).split('"')[1]
