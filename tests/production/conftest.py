"""The prod profile as containers, brought up as an operator does it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loom.deploy.engine.compose.project import SERVICE_LABEL, project
from loom.deploy.engine.processes import free
from loom.deploy.plan import derive
from loom.deploy.profile import load
from tests.fire.stack import Stack


@dataclass
class Contained(Stack):
    """A prod deployment on a Docker Engine."""

    def up(self) -> None:
        """Credentials, then everything, ready."""
        self.must("certs", "create", *self.which)
        self.must("secrets", "init", *self.which)
        self.must("up", *self.which, "--engine", "compose")

    def boxes(self) -> dict[str, dict[str, Any]]:
        """Service → what `docker inspect` says of its container, those that have ended too."""
        ids = self._docker(
            "ps", "-aq", "--filter", f"label=com.docker.compose.project={self._project}"
        ).split()
        found = json.loads(self._docker("inspect", *ids))
        return {box["Config"]["Labels"][SERVICE_LABEL]: box for box in found}

    def network(self, name: str) -> dict[str, Any]:
        """What Docker says of one of its networks."""
        return dict(json.loads(self._docker("network", "inspect", f"{self._project}_{name}"))[0])

    def python(self, service: str, source: str) -> "subprocess.CompletedProcess[str]":
        """Python inside a container of Loom's image."""
        command = ["docker", "exec", self.boxes()[service]["Name"].lstrip("/"), "python3", "-c", source]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def said(self, *arguments: str) -> str:
        """What docker answers, on either stream."""
        command = ["docker", *arguments]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=True
        )
        return done.stdout

    @property
    def _project(self) -> str:
        return project(self.home).name

    def _docker(self, *arguments: str) -> str:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def raised(state: Path, name: str, profile: str, begin: int) -> Iterator[Contained]:
    """A deployment on free ports from `begin` on; nothing of it stays."""
    offset = next(
        offset
        for offset in range(begin + os.getpid() % 100, begin + 3_800, 107)
        if all(free(port.native) for port in derive(load(profile, [f"ports.offset={offset}"])).ports)
    )
    stack = Contained(state, name, (f"ports.offset={offset}",), profile)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="session")
def contained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contained]:
    """One deployment of the prod profile for all tests."""
    with raised(tmp_path_factory.mktemp("production"), "contained", "prod", 6_000) as stack:
        yield stack
