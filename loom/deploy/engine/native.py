"""The native engine: the rendered configuration as local processes under supervisord."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from loom.deploy.artifacts.model import Artifact
from loom.deploy.engine import configuration, conflict, lifecycle, logs, processes, program
from loom.deploy.engine.deployment import Deployment, Home, recorded
from loom.deploy.engine.lifecycle import Watch
from loom.deploy.engine.protocol import LogLine, LogRequest, Progress, Report, ServiceStatus
from loom.deploy.engine.readiness import native
from loom.deploy.engine.supervisor import AwayError
from loom.deploy.plan.model import Plan, Service
from loom.deploy.toolchain import require
from loom.deploy.writer import commit
from loom.deploy.writer.lock import locked
from loom.errors import ToolchainError

_WHO = "another `up` or `down`"


class NativeEngine:
    """Local processes; Grafana is the one program that cannot be had so, and is left out."""

    name = "native"
    python = sys.executable

    def __init__(self, locate: Callable[..., Mapping[str, Path]] = require) -> None:
        """`locate` finds the programs, or raises ToolchainError, as the toolchain does."""
        self._locate = locate

    def obstacle(self) -> str:
        """See `Engine.obstacle`."""
        try:
            self._locate(*configuration.PROGRAMS)
        except ToolchainError as error:
            return "; ".join(map(str, error.problems))
        return ""

    def absences(self, plan: Plan) -> Mapping[str, str]:
        """See `Engine.absences`."""
        del plan
        return {Service.GRAFANA: "it can be had as a container image only: --engine compose"}

    def essential(self, service: str) -> bool:
        """See `Engine.essential`."""
        return service != Service.GRAFANA

    def up(
        self, deployment: Deployment, artifacts: Sequence[Artifact], report: Report, deadline: float
    ) -> None:
        """See `Engine.up`."""
        programs = configuration.programs_of(deployment.plan, self._locate)
        home = deployment.home
        home.make()
        wanted = replace(deployment, configuration=configuration.digests(deployment.plan, artifacts))
        watch = Watch.start(report, deadline)
        with locked(home.run, deadline, _WHO), _tidied(home):
            if not _refreshed(wanted, artifacts, watch):
                _make_room(wanted, watch)
                commit(home.rendered, artifacts, force=True)
                lifecycle.start(wanted, programs, watch)

    def status(self, deployment: Deployment) -> tuple[ServiceStatus, ...]:
        """See `Engine.status`."""
        return lifecycle.statuses_of(deployment, native(deployment.plan))

    def logs(self, deployment: Deployment, request: LogRequest) -> Iterator[LogLine]:
        """See `Engine.logs`."""
        known = (*map(str, native(deployment.plan)), logs.SUPERVISOR)
        logs.require_known(request.services, known)
        return logs.read(deployment.home, request.services or known[:-1], request)

    def run(self, deployment: Deployment, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """See `Engine.run`."""
        return program.run(deployment, command, environment)

    def signal(self, deployment: Deployment, service: str, name: str) -> bool:
        """See `Engine.signal`."""
        with suppress(AwayError):  # a reboot leaves the record, and nothing that runs
            return lifecycle.client(deployment.home).signal(service, name)
        return False

    def restart(self, deployment: Deployment, service: str) -> bool:
        """See `Engine.restart`: supervisord starts anew what ends."""
        return self.signal(deployment, service, "TERM")

    def has_data(self, home: Home) -> bool:
        """See `Engine.has_data`."""
        return home.has_data

    def down(self, home: Home, report: Report, *, volumes: bool = False, images: bool = False) -> bool:
        """See `Engine.down`; there are no images to remove."""
        del images
        if not home.root.is_dir():
            return False
        home.make()
        with locked(home.run, lifecycle.STOP, _WHO):
            before = recorded(home)
            ran = lifecycle.stop(home, report)
            if before and ran:
                _tell_of_strangers(before, report)
            # The record of another engine's deployment is not ours to remove.
            if before is None or before.engine == self.name:
                home.forget()
            if volumes:
                shutil.rmtree(home.data)
        return ran


@contextmanager
def _tidied(home: Home) -> Iterator[None]:
    """Leave no link to a deployment that did not come to be."""
    try:
        yield
    finally:
        if not home.record.exists():
            home.forget()


def _tell_of_strangers(stopped: Deployment, report: Report) -> None:
    """Every process of ours is gone; who listens on one of our ports even so is somebody else's."""
    for port in processes.native_ports(stopped.plan, native(stopped.plan)):
        if not processes.free(port.native):
            text = f"port {port.native} is held by {processes.holder(port.native)}: not this deployment's"
            report(Progress(port.service, text))


def _refreshed(wanted: Deployment, artifacts: Sequence[Artifact], watch: Watch) -> bool:
    """Bring a running deployment up to date without stopping all of it; False when that cannot be."""
    before = recorded(wanted.home)
    if before is None or not lifecycle.client(wanted.home).alive():
        return False
    changed = {
        service
        for service in {*wanted.configuration, *before.configuration}
        if wanted.configuration.get(service) != before.configuration.get(service)
    }
    if configuration.SUPERVISOR in changed:
        return False
    if not changed:
        watch.say("", "is up already, with the same configuration")
    commit(wanted.home.rendered, artifacts, force=True)
    lifecycle.refresh(replace(wanted, started=before.started), changed, watch)
    return True


def _make_room(wanted: Deployment, watch: Watch) -> None:
    """Stop what runs under the name; not before it is sure that the new ports are free."""
    before = recorded(wanted.home)
    held = {port.native for port in before.plan.ports} if before else set()
    ports = processes.native_ports(wanted.plan, native(wanted.plan))
    if not processes.own(wanted.home):
        return
    conflict.refuse(wanted.plan, [port for port in ports if port.native not in held])
    watch.say("", "ports or supervision changed: starting everything anew")
    lifecycle.stop(wanted.home, watch.report)
    wanted.home.forget()
    wanted.home.make()
