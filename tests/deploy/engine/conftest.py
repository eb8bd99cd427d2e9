"""A deployment of the native engine whose programs are small servers: real supervision, fast starts."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.engine import Deployment, Home, NativeEngine, Progress, load
from loom.deploy.engine.processes import end, free, own
from loom.deploy.engine.readiness import native
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Service
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Size

PROGRAM = '''
"""Answers 200 on every port given, unless the file of its behaviour says something else."""
import sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

behaviour, ports = Path(sys.argv[1]), [int(port) for port in sys.argv[2:]]
text = behaviour.read_text() if behaviour.exists() else ""
print("starting", flush=True)
if text == "exit":
    print("the configuration is nonsense", flush=True)
    sys.exit(1)
if text == "mute":
    threading.Event().wait()
for port in ports:
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever).start()
'''
HEAD = """[supervisord]
nodaemon=true
pidfile=%(ENV_LOOM_RUN)s/supervisord.pid
logfile=%(ENV_LOOM_RUN)s/supervisord.log
[unix_http_server]
file=%(ENV_LOOM_RUN)s/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
CHECKS = {
    Service.COLLECTOR: Check.OTELCOL,
    Service.JAEGER: Check.JAEGER,
    Service.PROMETHEUS: Check.PROMTOOL_CONFIG,
    Service.ALERTMANAGER: Check.AMTOOL,
}


@dataclass
class Stage:
    """A place to run deployments in."""

    folder: Path
    state: Path
    engine: NativeEngine = field(default_factory=lambda: NativeEngine(lambda *_: {}))
    said: list[Progress] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)

    def deployment(self, offset: int, name: str = "dev") -> Deployment:
        """A deployment on ports from `offset`."""
        home = Home.of(name, {"XDG_STATE_HOME": str(self.state)})
        self.homes.append(home)
        return Deployment(home, "native", plan(offset))

    def artifacts(self, deployment: Deployment, **changed: str) -> tuple[Artifact, ...]:
        """Supervisord's configuration and a file for each service, whose text can be `changed`."""
        text = HEAD + "".join(self._program(deployment, service) for service in native(deployment.plan))
        files = [
            Artifact(f"native/{service}.yml", changed.get(service.name, "a\n"), "", CHECKS[service])
            for service in native(deployment.plan)
        ]
        return (Artifact("native/supervisord.conf", text, "", Check.SUPERVISOR), *files)

    def behave(self, service: Service, text: str) -> None:
        """What a service does from its next start on: `exit`, `mute`, or nothing special."""
        (self.folder / service).write_text(text)

    def up(self, deployment: Deployment, deadline: float = 240.0, **changed: str) -> None:
        """Start it."""
        self.engine.up(deployment, self.artifacts(deployment, **changed), self.said.append, deadline)

    def pids(self, deployment: Deployment) -> dict[Service, int]:
        """Service → pid."""
        return {Service(status.service): status.pid for status in self.engine.status(deployment)}

    def started(self, deployment: Deployment) -> float:
        """When it was started, by its record."""
        record = load(deployment.home)
        assert record is not None
        return record.started

    def pids_of(self, deployment: Deployment, service: Service) -> list[int]:
        """Pids of a service's processes, found without the supervisor."""
        return [p.pid for p in own(deployment.home) if str(self.folder / service) in p.cmdline()]

    def _program(self, deployment: Deployment, service: Service) -> str:
        ports = " ".join(str(port.native) for port in deployment.plan.ports if port.service is service)
        command = f'"{sys.executable}" "{self.folder / "program.py"}" "{self.folder / service}" {ports}'
        return (
            f"[program:{service}]\ncommand={command}\nautorestart=true\nstartsecs=1\nstartretries=2\n"
            f"redirect_stderr=true\nstdout_logfile=%(ENV_LOOM_RUN)s/{service}.log\n"
        )


def plan(offset: int) -> Plan:
    """A plan of a small profile."""
    profile = Profile.model_validate(
        {"name": "dev", "ports": {"offset": offset}, "volumes": {"prometheus": Size.parse("20GB")}}
    )
    return derive(profile)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage on which nothing runs any more afterwards."""
    (tmp_path / "program.py").write_text(PROGRAM)
    stage = Stage(tmp_path, tmp_path / "state of things")
    yield stage
    for home in stage.homes:
        end(own(home), 0.5)
        home.forget()


@pytest.fixture
def offsets() -> Callable[[], int]:
    """Offsets whose ports are free, below those that connections get."""
    candidates = iter(range(10_000 + os.getpid() % 100, 15_900, 101))

    def take() -> int:
        return next(o for o in candidates if all(free(port.native) for port in plan(o).ports))

    return take
