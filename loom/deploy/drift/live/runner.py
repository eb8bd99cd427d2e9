"""The seam to what runs programs: what is asked of it, the real ones, and none of them judges."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from loom.deploy.artifacts import compose
from loom.deploy.artifacts.environment import NAME as ENVIRONMENT
from loom.deploy.drift.live import arguments, contained, inspected, supervised
from loom.deploy.drift.live.evidence import Program
from loom.deploy.engine.compose.project import PROJECT_LABEL, SERVICE_LABEL, project
from loom.deploy.engine.compose.whales import Whales
from loom.deploy.engine.deployment import Deployment
from loom.deploy.engine.lifecycle import client
from loom.deploy.engine.supervisor import AwayError
from loom.errors import EngineError, Problem

if TYPE_CHECKING:
    import psutil

_ANSWER = 20.0
"""Seconds for Docker's answer."""
_ONE_OFF = "com.docker.compose.oneoff"


class Runner(Protocol):
    """What runs a deployment's programs. EngineError when it does not answer itself."""

    source: str
    """Who says what runs: `process`, `container`."""

    def wanted(self, deployment: Deployment, texts: Mapping[str, str]) -> dict[str, Program]:
        """Service → the program as the rendered texts have it; those that were started only."""

    def running(self, deployment: Deployment) -> dict[str, Program]:
        """Service → the program as it runs."""

    def unknown(self, texts: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
        """Service → what is rendered of it and cannot be compared."""


class Processes:
    """Processes of this machine, under supervisord."""

    source = "process"

    def wanted(self, deployment: Deployment, texts: Mapping[str, str]) -> dict[str, Program]:
        """See `Runner.wanted`."""
        return supervised.wanted(texts, deployment.home)

    def running(self, deployment: Deployment) -> dict[str, Program]:
        """See `Runner.running`."""
        import psutil  # noqa: PLC0415 - slow to import

        found = {}
        with suppress(AwayError):
            for name, info in client(deployment.home).programs().items():
                with suppress(psutil.Error):
                    if info.pid:
                        found[name] = _process(psutil.Process(info.pid))
        return found

    def unknown(self, texts: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
        """See `Runner.unknown`: nothing."""
        del texts
        return {}


def _process(process: "psutil.Process") -> Program:
    environment = {f"environment {name}": value for name, value in process.environ().items()}
    return Program({**arguments.facts(process.cmdline()[1:]), **environment}, process.create_time())


class Containers:
    """Containers of the Docker Engine that `docker` talks to."""

    source = "container"

    def wanted(self, deployment: Deployment, texts: Mapping[str, str]) -> dict[str, Program]:
        """See `Runner.wanted`."""
        name = project(deployment.home).name
        found = contained.wanted(texts[compose.NAME], name, _variables(texts.get(ENVIRONMENT, "")))
        started = deployment.configuration
        return {service: _imaged(found[service]) for service in started if service in found}

    def running(self, deployment: Deployment) -> dict[str, Program]:
        """See `Runner.running`."""
        trouble = Whales().trouble()
        if trouble:
            raise EngineError(Problem(trouble))
        label = f"label={PROJECT_LABEL}={project(deployment.home).name}"
        ids = _docker("ps", "--quiet", "--filter", label).split()
        documents = json.loads(_docker("container", "inspect", *ids)) if ids else []
        return {
            one["Config"]["Labels"].get(SERVICE_LABEL, ""): inspected.program(one)
            for one in documents
            if one["Config"]["Labels"].get(_ONE_OFF) != "True"
        }

    def unknown(self, texts: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
        """See `Runner.unknown`."""
        return contained.unknown(texts[compose.NAME])


def _imaged(program: Program) -> Program:
    """On top of what its image brings, as the image is now; alone when there is none any more."""
    with suppress(EngineError):
        found = json.loads(_docker("image", "inspect", str(program.facts["image"])))[0]
        return Program({**inspected.image(found, program.facts), **program.facts}, mounts=program.mounts)
    return program


def _variables(text: str) -> dict[str, str]:
    """What a rendered `.env` sets."""
    lines: Iterable[str] = (line.removeprefix("export ") for line in text.splitlines() if "=" in line)
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def _docker(*words: str) -> str:
    """Docker's answer in its own JSON: python-on-whales leaves out what it does not know."""
    try:
        done = subprocess.run(  # noqa: S603 - docker, as found on PATH
            ["docker", *words],  # noqa: S607 - which docker is the user's choice
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_ANSWER,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(Problem(f"docker {words[0]} does not answer within {_ANSWER:g} s")) from None
    if done.returncode:
        raise EngineError(Problem(f"docker {words[0]}: {' '.join(done.stderr.split())}"))
    return done.stdout
