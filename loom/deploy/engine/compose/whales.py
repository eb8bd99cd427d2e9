"""Docker itself, through python-on-whales and the command line below it."""

import json
import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom.deploy import programs, toolchain
from loom.deploy.engine.compose import stream
from loom.deploy.engine.compose.daemon import Box, Job
from loom.deploy.engine.compose.job import Process
from loom.deploy.engine.compose.project import PROJECT_LABEL, SERVICE_LABEL, Project
from loom.deploy.engine.protocol import LogLine, LogRequest
from loom.errors import EngineError, Problem

if TYPE_CHECKING:
    from python_on_whales import DockerClient

_ANSWER = 20.0
"""Seconds for an answer of a daemon that is there; a busy machine takes its time."""
_LOCAL = "localhost/"
# Compose's own, and what the rendered file has a default for: the deployment's `.env` is to decide.
_NOT_INHERITED = ("COMPOSE_", "OTEL_", "DEPLOYMENT_ENV")


class Whales:
    """The Docker Engine that `docker` talks to."""

    def trouble(self) -> str:
        """See `Daemon.trouble`."""
        if shutil.which("docker") is None:
            return "there is no docker command"
        try:
            done = _docker("version", "--format", "{{.Server.Version}}")
        except subprocess.TimeoutExpired:
            return f"the Docker daemon does not answer within {_ANSWER:g} s"
        if done.returncode:
            return f"no Docker daemon answers: {' '.join(done.stderr.split())}"
        return "" if _compose_command() else "there is no Docker Compose: loom-deploy toolchain install"

    def version(self) -> str:
        """See `Daemon.version`."""
        return _docker("version", "--format", "{{.Server.Version}}").stdout.strip()

    def lacking(self, references: Collection[str]) -> set[str]:
        """See `Daemon.lacking`."""
        listed = _text("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
        # What is pinned by digest has no line of its own there.
        return {ref for ref in references if ref not in listed and not _client().image.exists(ref)}

    def unobtainable(self, reference: str, patience: float) -> str:
        """See `Daemon.unobtainable`."""
        if reference.startswith(_LOCAL):
            return "no registry has it"
        try:
            done = _docker("manifest", "inspect", reference, patience=patience)
        except subprocess.TimeoutExpired:
            return f"its registry does not answer within {patience:g} s"
        # Of Go's chain of reasons the end: `lookup registry.example: no such host`.
        return _last(done.stderr).rpartition("dial tcp: ")[2] if done.returncode else ""

    def pull(self, reference: str) -> None:
        """See `Daemon.pull`."""
        from python_on_whales.exceptions import DockerException  # noqa: PLC0415 - slow to import

        try:
            _client().image.pull(reference, quiet=True)
        except DockerException as error:
            raise EngineError(Problem(f"cannot pull {reference}: {_last(error.stderr or '')}")) from error

    def boxes(self, project: str) -> tuple[Box, ...]:
        """See `Daemon.boxes`."""
        ids = _text("ps", "--all", "--quiet", "--filter", f"label={PROJECT_LABEL}={project}").split()
        return tuple(sorted(map(_box, _inspected(ids)), key=lambda box: box.name)) if ids else ()

    def owners(self) -> dict[str, tuple[str, frozenset[int]]]:
        """See `Daemon.owners`."""
        ids = _text("ps", "--all", "--quiet").split()
        labels = {one["Name"].lstrip("/"): one for one in _inspected(ids)} if ids else {}
        return {name: (_labels(one).get(PROJECT_LABEL, ""), _ports(one)) for name, one in labels.items()}

    def volumes(self, project: str) -> set[str]:
        """See `Daemon.volumes`."""
        return {volume.name for volume in _client().volume.list(filters=[("label", _label(project))])}

    def networks(self, project: str) -> set[str]:
        """See `Daemon.networks`."""
        return set(
            _text("network", "ls", "--format", "{{.Name}}", "--filter", f"label={_label(project)}").split()
        )

    def discard(self, volumes: Collection[str]) -> None:
        """See `Daemon.discard`."""
        _client().volume.remove([*sorted(volumes)])

    def discard_image(self, reference: str) -> str:
        """See `Daemon.discard_image`."""
        done = _docker("image", "rm", reference)
        gone = done.returncode == 0 or "No such image" in done.stderr
        return "" if gone else _last(done.stderr)

    def compose(self, project: Project, *arguments: str) -> Job:
        """See `Daemon.compose`."""
        return Process([*_command(project), *arguments], _environment())

    def run(self, project: Project, *arguments: str) -> int:
        """See `Daemon.run`."""
        command = [*_command(project), *arguments]
        return subprocess.run(command, env=_environment(), check=False).returncode  # noqa: S603 - as above

    def logs(self, boxes: Sequence[Box], request: LogRequest) -> Iterator[LogLine]:
        """See `Daemon.logs`."""
        tail = ("logs", "--tail", str(request.lines))
        follow = ("--follow",) if request.follow else ()
        docker = [str(part) for part in _client().client_config.docker_cmd]
        commands = {box.service: [*docker, *tail, *follow, box.name] for box in boxes}
        return stream.together(commands) if request.follow else stream.in_turn(commands)


def _client() -> "DockerClient":
    from python_on_whales import DockerClient  # noqa: PLC0415 - slow to import, and `--help` needs none

    return DockerClient()


def _label(project: str) -> str:
    return f"{PROJECT_LABEL}={project}"


def _docker(*arguments: str, patience: float = _ANSWER) -> subprocess.CompletedProcess[str]:
    """One command with a time limit, which python-on-whales does not know."""
    return subprocess.run(  # noqa: S603 - docker, as found on PATH
        ["docker", *arguments],  # noqa: S607 - which docker is the user's choice
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=patience,
    )


def _text(*arguments: str) -> str:
    done = _docker(*arguments)
    if done.returncode:
        raise EngineError(Problem(f"docker {arguments[0]}: {_last(done.stderr)}"))
    return done.stdout


def _inspected(ids: Sequence[str]) -> list[dict[str, Any]]:
    """What there is of the containers: one may have gone since it was listed."""
    return list(json.loads(_docker("container", "inspect", *ids).stdout or "[]"))


def _box(document: dict[str, Any]) -> Box:
    from python_on_whales.components.container import models  # noqa: PLC0415 - slow to import

    found = models.ContainerInspectResult.model_validate(document)
    state = found.state or models.ContainerState()
    health = state.health or models.ContainerHealth()
    checks = health.log or []
    return Box(
        (found.name or "").lstrip("/"),
        _labels(document).get(SERVICE_LABEL, ""),
        state.status or "",
        health.status or "",
        state.pid or 0,
        max(0.0, state.started_at.timestamp()) if state.started_at else 0.0,
        found.restart_count or 0,
        state.exit_code or 0,
        bool(state.oom_killed),
        state.error or "",
        _last(checks[-1].output or "") if checks else "",
        int(document["HostConfig"].get("Memory") or 0),
        _ports(document),
    )


def _labels(document: dict[str, Any]) -> dict[str, str]:
    return document["Config"].get("Labels") or {}


def _ports(document: dict[str, Any]) -> frozenset[int]:
    # What it is to have, not what it has now: a container that could not start holds none.
    wanted = document["HostConfig"].get("PortBindings") or {}
    bound = [binding for bindings in wanted.values() for binding in bindings or ()]
    return frozenset(int(binding["HostPort"]) for binding in bound if binding.get("HostPort"))


def _command(project: Project) -> list[str]:
    from loom.deploy.artifacts.workload import LOOM_PROFILE  # noqa: PLC0415 - needed here only

    options = [part for path in project.files for part in ("--file", str(path))]
    # Without files no folder of the caller may be taken for the project's.
    return [*_compose_command(), "--project-name", project.name, "--profile", LOOM_PROFILE, *options]


def _compose_command() -> list[str]:
    """Docker's plugin, or the toolchain's Compose; empty when there is neither."""
    if _docker("compose", "version").returncode == 0:
        return ["docker", "compose"]
    found = toolchain.locate(programs.DOCKER_COMPOSE, os.environ)
    return [str(Path(found.path))] if found else []


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"
