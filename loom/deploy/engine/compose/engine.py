"""The compose engine: the rendered compose file, run by a Docker Engine."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from loom.contract.environment import SERVICE_NAME
from loom.deploy.artifacts.model import Artifact
from loom.deploy.engine import logs, readiness
from loom.deploy.engine.compose import launch, ports, state
from loom.deploy.engine.compose import project as projects
from loom.deploy.engine.compose.daemon import Box, Daemon
from loom.deploy.engine.compose.launch import Launch
from loom.deploy.engine.compose.state import Ask
from loom.deploy.engine.compose.whales import Whales
from loom.deploy.engine.deployment import Deployment, Home, recorded
from loom.deploy.engine.lifecycle import Watch
from loom.deploy.engine.protocol import LogLine, LogRequest, Progress, Report, ServiceStatus
from loom.deploy.plan.model import Plan
from loom.deploy.writer import commit
from loom.deploy.writer.lock import locked
from loom.errors import EngineError, Problem

_WHO = "another `up` or `down`"
_PATIENCE = 5.0
"""Seconds to find out whether an image can be pulled."""


class ComposeEngine:
    """Containers of the pinned upstream images; what has no image here is named and left out."""

    name = "compose"
    python = "python3"

    def __init__(self, daemon: Daemon | None = None, ask: Ask | None = None) -> None:
        """Talk to this daemon, by default the one that `docker` talks to; `ask` says why one is not ready."""
        self._daemon, self._ask = daemon or Whales(), ask
        self._why: dict[str, str] = {}

    def obstacle(self) -> str:
        """See `Engine.obstacle`."""
        return self._daemon.trouble()

    def absences(self, plan: Plan) -> Mapping[str, str]:
        """See `Engine.absences`: services whose image is not here and cannot be pulled."""
        images = projects.images(plan)
        wanted = sorted(self._daemon.lacking(set(images.values())) - self._why.keys())
        with ThreadPoolExecutor(max_workers=8) as pool:
            self._why |= dict(zip(wanted, pool.map(self._cannot_have, wanted), strict=True))
        return {
            service: f"image {ref} is not here, {self._why[ref]}; to have it: {projects.remedy(service, ref)}"
            for service, ref in images.items()
            if self._why.get(ref)
        }

    def essential(self, service: str) -> bool:
        """See `Engine.essential`."""
        return service not in projects.OPTIONAL

    def up(
        self, deployment: Deployment, artifacts: Sequence[Artifact], report: Report, deadline: float
    ) -> None:
        """See `Engine.up`."""
        services = self._services(deployment.plan)
        home = deployment.home
        home.make()
        try:
            with locked(home.run, deadline, _WHO):
                self._pull(deployment.plan, services, report)
                self._up(deployment, artifacts, services, Watch.start(report, deadline))
        finally:
            if not home.record.exists():
                home.forget()

    def _services(self, plan: Plan) -> tuple[str, ...]:
        """Those to run; EngineError when one without which nothing works cannot be had."""
        obstacle = self.obstacle()
        if obstacle:
            raise EngineError(Problem(obstacle))
        absent = self.absences(plan)
        missing = [Problem(f"{one}: {why}") for one, why in absent.items() if self.essential(one)]
        if missing:
            raise EngineError(*missing)
        return tuple(service for service in projects.images(plan) if service not in absent)

    def _asking(self, deployment: Deployment) -> Ask:
        return self._ask or partial(readiness.published, access=deployment.access)

    def _cannot_have(self, reference: str) -> str:
        return self._daemon.unobtainable(reference, _PATIENCE)

    def _pull(self, plan: Plan, services: Sequence[str], report: Report) -> None:
        references = {reference: service for service, reference in projects.images(plan).items()}
        for reference in sorted(self._daemon.lacking(references)):
            if references[reference] in services:
                report(Progress(references[reference], f"pulling {reference}"))
                self._daemon.pull(reference)

    def _up(
        self, deployment: Deployment, artifacts: Sequence[Artifact], services: tuple[str, ...], watch: Watch
    ) -> None:
        home, daemon = deployment.home, self._daemon
        name = projects.project(home).name
        before, kept = daemon.boxes(name), daemon.volumes(name)
        ports.refuse(daemon, deployment, services, watch)
        commit(home.rendered, artifacts, force=True)
        project = projects.written(home, deployment.plan)
        images = projects.images(deployment.plan)
        # Telemetry from before the first start is no proof; a refresh keeps what has arrived.
        started = _started(home) if before else 0.0
        try:
            replace(
                deployment,
                configuration={service: images[service] for service in services},
                started=started or time.time(),
            ).save()
            Launch(daemon, project, deployment.plan, services, watch, self._asking(deployment), before).go()
        except BaseException:
            # An interrupt as well. What ran before this `up` stays, as it does natively.
            if not before:
                watch.say("", "taking down what was started")
                launch.clear(daemon, project, kept)
                home.forget()
            raise

    def status(self, deployment: Deployment) -> tuple[ServiceStatus, ...]:
        """See `Engine.status`."""
        boxes = self._boxes(deployment.home)
        services = tuple(deployment.configuration) or tuple(boxes)
        found = state.statuses(deployment.plan, services, boxes, time.time(), self._asking(deployment))
        return tuple(
            status
            if (status.ready and not status.looping) or status.service not in boxes
            else replace(status, tail=launch.tail(self._daemon, boxes[status.service]))
            for status in found
        )

    def logs(self, deployment: Deployment, request: LogRequest) -> Iterator[LogLine]:
        """See `Engine.logs`."""
        boxes = self._boxes(deployment.home)
        logs.require_known(request.services, boxes)
        chosen = [boxes[service] for service in request.services or boxes]
        return self._daemon.logs(chosen, request)

    def run(self, deployment: Deployment, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """See `Engine.run`: in a container of the Loom image, which is removed afterwards."""
        reference = projects.images(deployment.plan)["loom"]
        if self._daemon.lacking([reference]):
            hint = projects.remedy("loom", reference)
            raise EngineError(Problem(f"image {reference} is not here", hint=hint))
        project = projects.written(deployment.home, deployment.plan)
        # Whatever the service `loom` is called: this is a program of the user's, as with the other engines.
        told = {SERVICE_NAME.name: deployment.plan.profile.loom.service_name, **environment}
        variables = [part for name, value in told.items() for part in ("--env", f"{name}={value}")]
        options = ("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", command[0])
        return self._daemon.run(project, *options, *variables, "loom", *command[1:])

    def signal(self, deployment: Deployment, service: str, name: str) -> bool:
        """See `Engine.signal`."""
        return self._told(deployment, service, "kill", "--signal", name)

    def restart(self, deployment: Deployment, service: str) -> bool:
        """See `Engine.restart`. Not by a signal: what is told to end that way Docker does not start anew."""
        return self._told(deployment, service, "restart")

    def _told(self, deployment: Deployment, service: str, *command: str) -> bool:
        if service not in self._boxes(deployment.home):
            return False
        named = projects.project(deployment.home)
        return launch.finished(self._daemon.compose(named, *command, service)) == 0

    def has_data(self, home: Home) -> bool:
        """See `Engine.has_data`: a volume that was made is data."""
        return not self._daemon.trouble() and bool(self._daemon.volumes(projects.project(home).name))

    def down(self, home: Home, report: Report, *, volumes: bool = False, images: bool = False) -> bool:
        """See `Engine.down`."""
        project, before = projects.project(home), recorded(home)
        if self._daemon.trouble():
            if before and before.engine == self.name:
                raise EngineError(Problem(self._daemon.trouble(), hint="its containers cannot be stopped"))
            return False
        keep = set() if volumes else self._daemon.volumes(project.name)
        there = launch.left(self._daemon, project.name, keep)
        if there:
            kinds = Counter(thing.split()[0] for thing in there)
            counted = (f"{number} {kind}{'s' * (number > 1)}" for kind, number in kinds.items())
            report(Progress("", f"removing {', '.join(counted)}"))
            launch.clear(self._daemon, project, keep)
        if before and before.engine == self.name:
            home.forget()
        if images:
            self._discard_images(before, report)
        return bool(there)

    def _discard_images(self, before: Deployment | None, report: Report) -> None:
        plan = before.plan if before else None
        references = sorted(set(projects.images(plan).values())) if plan else sorted(projects.PINNED)
        for reference in references:
            why = self._daemon.discard_image(reference)
            report(Progress("", f"image {reference} " + (f"stays: {why}" if why else "is gone")))

    def _boxes(self, home: Home) -> dict[str, Box]:
        return {box.service: box for box in self._daemon.boxes(projects.project(home).name)}


def _started(home: Home) -> float:
    before = recorded(home)
    return before.started if before else 0.0
