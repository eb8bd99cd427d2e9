"""The embedded engine: a receiver, the contract check and a page, in one process of ours; nothing to install.

It takes the collector's OTLP ports, and for its page Grafana's: that is where the user's document tells
people to look, and no other engine of the same plan leaves it free.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from loom.deploy.artifacts.model import Artifact
from loom.deploy.engine import conflict, logs, processes, program, readiness
from loom.deploy.engine.deployment import Deployment, Home, recorded
from loom.deploy.engine.lifecycle import Watch
from loom.deploy.engine.protocol import LogLine, LogRequest, Progress, Report, ServiceStatus
from loom.deploy.plan.model import Plan, Port, Purpose, Service
from loom.deploy.plan.topology import entries
from loom.deploy.writer import commit
from loom.deploy.writer.lock import locked
from loom.errors import EngineError, Problem

if TYPE_CHECKING:
    import psutil

RECEIVER, PAGE = "receiver", "page"

_MODULE = "loom.deploy.embedded"
_HEALTH = "/api/health"
_WHO = "another `up` or `down`"
_STOP = 20.0
"""Seconds to wait for another `up` or `down`."""
_POLL = 0.05
_SHOWN = 10
"""Last log lines shown when it does not become ready."""
_PORTS = "ports"
"""The one thing whose change needs a new start."""
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")


class EmbeddedEngine:
    """One process; everything it has received is gone with it."""

    name = "embedded"
    python = sys.executable

    def obstacle(self) -> str:
        """See `Engine.obstacle`: what it needs is installed with us."""
        return ""

    def absences(self, plan: Plan) -> Mapping[str, str]:
        """See `Engine.absences`."""
        del plan
        return {
            Service.COLLECTOR: "the receiver takes its ports",
            Service.JAEGER: "the latest traces are on the page",
            Service.PROMETHEUS: "current values are on the page; nothing is stored",
            Service.ALERTMANAGER: "the page shows what is not as the contract says",
            Service.GRAFANA: "the page takes its port",
        }

    def essential(self, service: str) -> bool:
        """See `Engine.essential`: it replaces them all."""
        del service
        return False

    def up(
        self, deployment: Deployment, artifacts: Sequence[Artifact], report: Report, deadline: float
    ) -> None:
        """See `Engine.up`."""
        home, plan = deployment.home, deployment.plan
        if lack := unable(plan):
            message = f"engine {self.name} cannot run the profile {plan.profile.name}: {lack}"
            raise EngineError(Problem(message, hint="take --engine native or --engine compose"))
        home.make()
        watch = Watch.start(report, deadline)
        wanted = replace(deployment, configuration={_PORTS: repr(ports(plan))}, started=time.time())
        with locked(home.run, deadline, _WHO):
            before = recorded(home)
            if _serves_already(wanted, before):
                assert before is not None  # noqa: S101 - what `_serves_already` says
                commit(home.rendered, artifacts, force=True)
                replace(wanted, started=before.started).save()
                watch.say("", "is up already, with the same ports")
                return
            processes.end(processes.own(home))
            conflict.refuse(plan, list(ports(plan)), conflict.LINGER)
            commit(home.rendered, artifacts, force=True)
            _start(wanted, watch)

    def status(self, deployment: Deployment) -> tuple[ServiceStatus, ...]:
        """See `Engine.status`: one process, by the two things it does."""
        running = processes.own(deployment.home)
        return tuple(_status(deployment, service, running) for service in (RECEIVER, PAGE))

    def logs(self, deployment: Deployment, request: LogRequest) -> Iterator[LogLine]:
        """See `Engine.logs`: problems are in it, each when it first appeared."""
        logs.require_known(request.services, [RECEIVER])
        return logs.read(deployment.home, [RECEIVER], request)

    def run(self, deployment: Deployment, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """See `Engine.run`."""
        return program.run(deployment, command, environment)

    def signal(self, deployment: Deployment, service: str, name: str) -> bool:
        """See `Engine.signal`: nothing of it reads a file again."""
        del deployment, service, name
        return False

    def restart(self, deployment: Deployment, service: str) -> bool:
        """See `Engine.restart`: it is one process, with no files to read."""
        del deployment, service
        return False

    def has_data(self, home: Home) -> bool:
        """See `Engine.has_data`: not its own, but `down` removes it all the same."""
        return home.has_data

    def down(self, home: Home, report: Report, *, volumes: bool = False, images: bool = False) -> bool:
        """See `Engine.down`; there are no images to remove, and all data was in memory."""
        del images
        before = recorded(home)
        if before is not None and before.engine != self.name:
            return False
        if not home.root.is_dir():
            return False
        home.make()
        with locked(home.run, _STOP, _WHO):
            running = processes.own(home)
            if running:
                report(Progress("", "stopping"))
            _end(running)
            home.forget()
            if volumes:
                shutil.rmtree(home.data)
        return bool(running)


def unable(plan: Plan) -> str:
    """Why it cannot stand in for what a plan asks for; empty when it can."""
    if any(edge.encrypted for edge in plan.edges):
        return "it speaks no TLS"
    return "it is one receiver, and Loom sends to two" if len(entries(plan.profile)) > 1 else ""


def page(plan: Plan) -> str:
    """URL of the page."""
    return f"http://localhost:{_page_port(plan).native}"


def _page_port(plan: Plan) -> Port:
    return plan.port(Service.GRAFANA, Purpose.UI)


def ports(plan: Plan) -> tuple[Port, Port, Port]:
    """All that it listens on: OTLP/gRPC, OTLP/HTTP, the page."""
    entry, *_ = entries(plan.profile)
    return plan.port(entry, Purpose.OTLP_GRPC), plan.port(entry, Purpose.OTLP_HTTP), _page_port(plan)


def _serves_already(wanted: Deployment, before: Deployment | None) -> bool:
    """Whether it runs as wanted; EngineError when another engine runs under the name."""
    running = bool(processes.own(wanted.home))
    if before is not None and running and before.engine != wanted.engine:
        hint = f"run `loom-deploy down --name {wanted.name}` first, or take another --name"
        raise EngineError(Problem(f"{wanted.name} runs on the {before.engine} engine", hint=hint))
    same = before is not None and before.configuration == wanted.configuration
    return running and same and not _obstacle(wanted.plan)


def _start(deployment: Deployment, watch: Watch) -> None:
    """Start it and wait until it is ready; when that fails, also by an interrupt, nothing is left."""
    deployment.save()
    try:
        _wait(deployment, _spawn(deployment), watch)
    except BaseException:
        _end(processes.own(deployment.home))
        deployment.home.forget()
        raise
    otlp = readiness.front(deployment.plan, entries(deployment.plan.profile)[0])
    watch.say(RECEIVER, f"ready after {watch.elapsed:.1f} s at {otlp}")
    watch.say(PAGE, f"ready after {watch.elapsed:.1f} s at {page(deployment.plan)}")


def _spawn(deployment: Deployment) -> int:
    """The process, in a session of its own: it outlives us and hears no Ctrl-C of ours. Its pid."""
    home = deployment.home
    grpc, http, shown = (str(port.native) for port in ports(deployment.plan))
    arguments = ["--name", home.name, "--grpc", grpc, "--http", http, "--page", shown]
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    log = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", _MODULE, *arguments],
        {**kept, processes.MARK: str(home.root), "PYTHONUNBUFFERED": "1"},
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, _log(home), log, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def _wait(deployment: Deployment, pid: int, watch: Watch) -> None:
    while obstacle := _obstacle(deployment.plan):
        ended = os.waitpid(pid, os.WNOHANG)[0] == pid
        if ended or watch.elapsed > watch.deadline:
            what = "ended at once" if ended else f"is not ready after {watch.deadline:g} s: {obstacle}"
            raise EngineError(
                Problem(f"the receiver {what}{_tail(deployment.home)}", str(_log(deployment.home)))
            )
        time.sleep(_POLL)


def _obstacle(plan: Plan) -> str:
    """Why it is not ready: the page is the last that it opens."""
    return readiness.ask(f"http://127.0.0.1:{_page_port(plan).native}{_HEALTH}")


def _end(running: "Sequence[psutil.Process]") -> None:
    left = processes.end(running)
    if left:
        raise EngineError(*(Problem(f"pid {process.pid} does not end") for process in left))


def _status(deployment: Deployment, service: str, running: "Sequence[psutil.Process]") -> ServiceStatus:
    plan, home = deployment.plan, deployment.home
    url = page(plan) if service == PAGE else readiness.front(plan, entries(plan.profile)[0])
    if not running:
        tail = logs.last_lines(_log(home), _SHOWN)
        return ServiceStatus(service, "ABSENT", obstacle="its process is gone", url=url, tail=tail)
    process = running[0]
    uptime = time.time() - process.create_time()
    return ServiceStatus(service, "RUNNING", process.pid, uptime, _obstacle(plan), url=url)


def _log(home: Home) -> Path:
    return logs.path_of(home, RECEIVER)


def _tail(home: Home) -> str:
    lines = logs.last_lines(_log(home), _SHOWN)
    return "".join(f"\n    {line}" for line in ("its last log lines:", *lines)) if lines else ""
