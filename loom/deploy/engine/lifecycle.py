"""Starting, refreshing and stopping a deployment's processes; the native engine's effects."""

import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from loom.deploy.artifacts.supervisor import STOP_SECONDS
from loom.deploy.engine import configuration, conflict, logs, processes, readiness, supervisor
from loom.deploy.engine.deployment import Deployment, Home, writing
from loom.deploy.engine.protocol import Progress, Report, ServiceStatus
from loom.deploy.engine.readiness import native
from loom.deploy.engine.supervisor import AwayError, Info, Supervisor
from loom.deploy.plan.model import Service
from loom.errors import EngineError, Problem

CONFIGURATION = "native/supervisord.conf"
"""Path of supervisord's configuration among the rendered files."""

STOP = 10.0 + sum(STOP_SECONDS.values())
"""Seconds for all services to end, one after the other, each in the time its configuration gives it."""
_RECENT = timedelta(minutes=5)
"""How far back a restart counts."""
_SHOWN = 10
"""Last log lines shown of a service that is not well."""
_POLL = 0.1
"""Seconds between two questions to services that are starting."""
_ROUNDS = 10
_LIVING = {"RUNNING", "STARTING"}


@dataclass(frozen=True, slots=True)
class Watch:
    """How a wait is told of and how long it may last."""

    report: Report
    deadline: float
    """Seconds from `begun`."""
    begun: float
    """time.monotonic() at the start."""

    @classmethod
    def start(cls, report: Report, deadline: float) -> "Watch":
        """From now on."""
        return cls(report, deadline, time.monotonic())

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self.begun

    def say(self, service: str, text: str) -> None:
        """Report one step."""
        self.report(Progress(service, text))


def client(home: Home) -> Supervisor:
    """The deployment's supervisor, whether it runs or not."""
    return Supervisor(home.short_run / supervisor.SOCKET)


def start(deployment: Deployment, programs: Mapping[str, Path], watch: Watch) -> None:
    """Start everything from nothing and wait until it is ready; when that fails, nothing is left running."""
    home = deployment.home
    services = native(deployment.plan)
    conflict.refuse(deployment.plan, processes.native_ports(deployment.plan, services), conflict.LINGER)
    fresh = not home.has_data
    for service in services:
        with writing(home.data / service):
            (home.data / service).mkdir(exist_ok=True)
    try:
        replace(deployment, started=time.time()).save()
        environment = configuration.environment(home, programs, os.environ)
        supervisor.launch(home.rendered / CONFIGURATION, environment, client(home), home.run)
        watch.say("", f"started {', '.join(services)}")
        wait_ready(deployment, services, watch)
    except BaseException:
        # An interrupt as well: a start that did not succeed leaves no process, and no new data.
        stop(home, watch.report)
        if fresh:
            shutil.rmtree(home.data)
        home.forget()
        raise


def refresh(deployment: Deployment, changed: Iterable[str], watch: Watch) -> None:
    """Restart the changed services of a running deployment, start those that do not run, wait for all."""
    supervisor_, stale = client(deployment.home), set(changed)
    deployment.save()
    for name, info in supervisor_.programs().items():
        if name in stale and info.state in _LIVING:
            watch.say(name, "its configuration changed: restarting")
            _stop_one(supervisor_, name, watch)
        if name in stale or info.state not in _LIVING:
            supervisor_.start(name)
    wait_ready(deployment, native(deployment.plan), watch)


def _stop_one(supervisor_: Supervisor, name: str, watch: Watch) -> None:
    supervisor_.stop(name)
    while supervisor_.programs()[name].pid:
        if watch.elapsed > watch.deadline:
            raise EngineError(Problem(f"{name} does not end"))
        time.sleep(_POLL)


def wait_ready(deployment: Deployment, services: Sequence[Service], watch: Watch) -> None:
    """Return when every service is ready; EngineError with reasons and log lines when one cannot be."""
    pending = list(services)
    while True:
        # What it did before we began to wait is not held against it.
        statuses = statuses_of(deployment, pending, timedelta(seconds=watch.elapsed))
        for status in statuses:
            if status.ready:
                watch.say(status.service, f"ready after {watch.elapsed:.1f} s at {status.url}")
                pending.remove(Service(status.service))
        if not pending:
            return
        failed = [status for status in statuses if not status.ready and status.looping]
        late = [status for status in statuses if not status.ready and watch.elapsed > watch.deadline]
        if failed or late:
            raise EngineError(*(_not_ready(deployment, status, watch) for status in failed or late))
        time.sleep(_POLL)


def _not_ready(deployment: Deployment, status: ServiceStatus, watch: Watch) -> Problem:
    if status.looping:
        message = f"{status.service} ends as soon as it starts: {status.obstacle}"
    else:
        message = f"{status.service} is not ready after {watch.deadline:g} s: {status.obstacle}"
    message += (
        "".join(f"\n    {line}" for line in ("its last log lines:", *status.tail)) if status.tail else ""
    )
    return Problem(message, file=str(logs.path_of(deployment.home, status.service)))


def statuses_of(
    deployment: Deployment, services: Sequence[Service], recent: timedelta | None = None
) -> tuple[ServiceStatus, ...]:
    """The services as they are now, with the restarts of the `recent` past: since the last `up`, at most."""
    if recent is None:
        recent = min(_RECENT, deployment.home.unchanged)
    supervisor_ = client(deployment.home)
    try:
        infos, log = supervisor_.programs(), supervisor_.log()
    except AwayError:
        infos, log = {}, ""
    now = datetime.now()  # noqa: DTZ005 - compared with supervisord's log, which has local times
    return tuple(
        _status(deployment, service, infos.get(service), supervisor.exits(log, service, now, recent))
        for service in services
    )


def _status(deployment: Deployment, service: Service, info: Info | None, restarts: int) -> ServiceStatus:
    url = readiness.front(deployment.plan, service)
    if info is None:
        return ServiceStatus(service, "ABSENT", obstacle="no supervisor looks after it", url=url)
    if info.state in _LIVING:
        obstacle = readiness.obstacle(deployment.plan, service, deployment.access)
    else:
        obstacle = f"{info.state}: {info.said}" if info.said else info.state
    status = ServiceStatus(service, info.state, info.pid, info.uptime, obstacle, restarts, url)
    if status.ready and not status.looping:
        return status
    tail = logs.last_lines(logs.path_of(deployment.home, service), _SHOWN)
    return ServiceStatus(service, info.state, info.pid, info.uptime, obstacle, restarts, url, tail)


def stop(home: Home, report: Report) -> bool:
    """End every process of the deployment; whether there was any. EngineError when one is left."""
    import psutil  # noqa: PLC0415 - slow to import; `status` does without

    running = processes.own(home)
    if not running:
        return False
    with suppress(AwayError):
        client(home).shutdown()
        report(Progress("", "stopping"))
        psutil.wait_procs(running, STOP)
    # Orphans of a killed supervisor, and whoever did not listen to a living one; more than once, since one
    # that was interrupted in its start may have started others while it was ended.
    for _ in range(_ROUNDS):
        left = processes.own(home)
        if not left:
            return True
        stubborn = processes.end(left)
        if stubborn:
            raise EngineError(*(Problem(f"pid {process.pid} does not end") for process in stubborn))
    raise EngineError(Problem("processes are started faster than they can be ended"))
