"""Plans, their files, and the real programs running on them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from loom.contract.environment import ENVIRONMENT
from loom.deploy import profile
from loom.deploy.artifacts import (
    Artifact,
    alertmanager,
    collector,
    jaeger,
    parse,
    prometheus,
    rules,
    supervisor,
)
from loom.deploy.plan import Plan, derive
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.programs import ALERTMANAGER, JAEGER, OTELCOL, PROMETHEUS
from loom.deploy.toolchain import require
from tests.waiting import until

REPOSITORY = Path(__file__).parents[3]
NATIVE = (collector, prometheus, rules, alertmanager, jaeger, supervisor)
"""What the native engine reads."""


@dataclass(frozen=True)
class Stack:
    """The native deployment, running."""

    plan: Plan
    folder: Path
    variables: dict[str, str]
    """What supervisord was given."""

    def url(self, service: Service, purpose: Purpose) -> str:
        return f"http://{self.plan.published(service, purpose)}"

    def get(self, service: Service, path: str, purpose: Purpose = Purpose.UI) -> str:
        try:
            with urlopen(f"{self.url(service, purpose)}{path}", timeout=10) as answer:  # noqa: S310 - loopback
                text: str = answer.read().decode()
                return text
        except (URLError, OSError):
            return ""

    def prometheus(self, path: str, **parameters: str) -> object:
        text = self.get(Service.PROMETHEUS, f"/api/v1/{path}?{urlencode(parameters)}")
        return json.loads(text)["data"] if text else None

    def series(self, match: str) -> list[dict[str, str]]:
        found = self.prometheus("series", **{"match[]": match})
        assert found is None or isinstance(found, list)
        return found or []

    def emit(self, *arguments: str) -> None:
        """Record every metric of the contract, and spans, in a process of its own."""
        emit(self.url(Service.COLLECTOR, Purpose.OTLP_GRPC), *arguments)


@dataclass(frozen=True)
class Collector:
    """A collector on a configuration that is not ours."""

    ports: dict[str, int]

    def emit(self, receiver: str) -> None:
        emit(f"http://127.0.0.1:{self.ports[receiver]}")

    def series(self) -> dict[str, set[str]]:
        """Name → labels of its own telemetry."""
        try:
            with urlopen(f"http://127.0.0.1:{self.ports['telemetry']}/metrics", timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except (URLError, OSError):
            return {}
        found = [re.match(r"(\w+)(?:\{(.*)\})?", line) for line in lines if not line.startswith("#")]
        return {one[1]: set(re.findall(r'(\w+)="', one[2] or "")) for one in found if one}


def emit(endpoint: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, Path(__file__).with_name("emitter.py"), *arguments],
        env={**os.environ, "ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT": "50"},
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        timeout=240,
    )


@contextmanager
def running(command: list[Any], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A program, until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    def make(name: str, *overrides: str) -> Plan:
        return derive(profile.load(name, overrides, REPOSITORY / "profiles"))

    return make


@pytest.fixture(scope="session", params=["dev", "prod"])
def plan(request: pytest.FixtureRequest, plan_of: Callable[..., Plan]) -> Plan:
    return plan_of(request.param)


@pytest.fixture
def read() -> Callable[..., object]:
    """The parsed content of one artifact of a module."""

    def find(artifacts: tuple[Artifact, ...], path: str) -> object:
        return parse(next(artifact for artifact in artifacts if artifact.path == path))

    return find


def _free_offset(plan_of: Callable[..., Plan]) -> int:
    """An offset at which no port of the deployment is taken."""
    for offset in range(1000, 9800, 311):
        ports = [port.native for port in plan_of("dev", f"ports.offset={offset}").ports]
        if all(_free(port) for port in ports):
            return offset
    pytest.fail("no free range of ports")


def _free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return port < 65_536 and listener.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def start(plan_of: Callable[..., Plan]) -> Iterator[Callable[..., Stack]]:
    """Starts the native deployment under supervisord, on the rendered files.

    `replaced` runs another program in the place of a service's, and nobody waits for that one.
    """
    with ExitStack() as exits:

        def launch(name: str, *overrides: str, replaced: Mapping[Service, str] = {}) -> Stack:
            chosen = plan_of(name, *overrides, f"ports.offset={_free_offset(plan_of)}")
            # The path of a unix socket must be short.
            temporary = tempfile.TemporaryDirectory(prefix="loom-", dir="/tmp", ignore_cleanup_errors=True)
            folder = Path(exits.enter_context(temporary))
            stack = Stack(chosen, folder, _variables(chosen, folder, replaced))
            write(chosen, folder)
            environment = {key: value for key, value in os.environ.items() if key != ENVIRONMENT.name}
            conf = folder / "native/supervisord.conf"
            command = [sys.executable, "-m", "supervisor.supervisord", "-c", conf]
            exits.enter_context(
                running(command, {**environment, **stack.variables}, folder / "supervisord.out")
            )
            for service, (path, purpose) in READY.items():
                if service not in replaced:
                    until(partial(stack.get, service, path, purpose), f"{service} is ready")
            return stack

        yield launch


READY = {
    Service.COLLECTOR: ("/", Purpose.HEALTH),
    Service.PROMETHEUS: ("/-/ready", Purpose.UI),
    Service.JAEGER: ("/status", Purpose.HEALTH),
    Service.ALERTMANAGER: ("/-/ready", Purpose.UI),
}


def write(chosen: Plan, folder: Path) -> None:
    for artifact in (artifact for module in NATIVE for artifact in module.artifacts(chosen)):
        (folder / artifact.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / artifact.path).write_text(artifact.text)
    for inner in ("run", "data"):
        (folder / inner).mkdir()


def _variables(chosen: Plan, folder: Path, replaced: Mapping[Service, str]) -> dict[str, str]:
    programs = require(OTELCOL, PROMETHEUS, ALERTMANAGER, JAEGER)
    paths = {
        supervisor.variable(chosen, service): replaced.get(
            service, str(programs[chosen.container(service).program.name])
        )
        for service in READY
    }
    return {"LOOM_RUN": str(folder / "run"), "LOOM_DATA": str(folder / "data"), **paths}


@pytest.fixture
def run_collector(tmp_path: Path) -> Iterator[Callable[[str], Collector]]:
    """Starts a collector on a configuration text in which `%(name)d` is a free port."""
    with ExitStack() as exits:

        def launch(text: str) -> Collector:
            program = require(OTELCOL)[OTELCOL.name]
            names = set(re.findall(r"%\((\w+)\)d", text))
            ports = {name: _port() for name in sorted(names)}
            (tmp_path / "collector.yaml").write_text(text % ports)
            command = [program, "--config", tmp_path / "collector.yaml"]
            exits.enter_context(running(command, dict(os.environ), tmp_path / "collector.log"))
            collector = Collector(ports)
            until(collector.series, "the collector shows its telemetry")
            return collector

        yield launch


def _port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
