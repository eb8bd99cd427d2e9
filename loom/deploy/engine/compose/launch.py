"""Bringing a project up and taking it down again: what the compose engine does to a daemon."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from loom.deploy.engine.compose import state
from loom.deploy.engine.compose.daemon import Box, Daemon, Job
from loom.deploy.engine.compose.project import Project
from loom.deploy.engine.compose.state import Ask
from loom.deploy.engine.lifecycle import Watch
from loom.deploy.engine.protocol import LOOP, LogRequest, ServiceStatus
from loom.deploy.plan.edges import LOOM, PROBE
from loom.deploy.plan.model import Plan, Service
from loom.errors import EngineError, PortConflictError, Problem

_POLL = 0.2
"""Seconds between two looks at containers that are starting."""
_LATELY = 60.0
"""Seconds for which a container must have run before its restarts are past."""
_SHOWN = 10
"""Last log lines shown of a service that is not well."""
_EMPTY = 2
"""So many looks in a row must find nothing: a daemon may still be making what it was asked for."""
_LOOKS = 30
STOP = 300.0
"""Seconds for `docker compose down`: every program has its own time to end, the longest is two minutes."""
_WORDS = {"created": "created", "running": "started", "restarting": "has ended, Docker starts it again"}
_TAKEN = ("port is already allocated", "address already in use")
_APART = (LOOM, PROBE, str(Service.CANARY))
"""Started once the collector answers us: the probe's first check comes later than that."""


@dataclass
class Launch:
    """One `up` of a project."""

    daemon: Daemon
    project: Project
    plan: Plan
    services: tuple[str, ...]
    """Those to run, by compose name."""
    watch: Watch
    ask: Ask
    before: tuple[Box, ...] = ()
    """What there was of the project."""
    seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Service → state and last start of its container, as reported last."""
    ready: set[str] = field(default_factory=set)
    """Services that were reported ready."""
    awaited: set[str] = field(default_factory=set)
    """Services that were reported unhealthy since before."""

    def go(self) -> None:
        """Start or refresh the services, and return when each is ready; EngineError when one cannot be."""
        self.seen = {box.service: (box.state, box.started) for box in self.before}
        untouched = dict(self.seen)
        self._remove_looping()
        first = [service for service in self.services if service not in _APART]
        rest = [service for service in self.services if service in _APART]
        self._start(first, "--remove-orphans")
        for service in rest:
            # One at a time, or compose would wait for the probe's first check.
            self._start([service], "--no-deps")
        if self.seen == untouched:
            self.watch.say("", "is up already, with the same configuration")

    def _remove_looping(self) -> None:
        """One that dies again and again waits up to a minute for its next start: a new one tries at once."""
        recent = time.time() - _LATELY
        looping = [
            box.service
            for box in self.before
            if box.state == "restarting" or (box.restarts >= LOOP and box.started > recent)
        ]
        if looping:
            finished(self.daemon.compose(self.project, "rm", "--stop", "--force", *looping))

    def _start(self, services: Sequence[str], option: str) -> None:
        arguments = ("up", "--detach", "--no-color", "--pull", "never", option, *services)
        job = self.daemon.compose(self.project, *arguments)
        try:
            while not self._looked(job, services):
                time.sleep(_POLL)
        finally:
            job.stop()

    def _looked(self, job: Job, services: Sequence[str]) -> bool:
        """Whether all is done and ready; EngineError when it never will be."""
        code = job.done()  # before the look: what it made is seen then
        boxes = {box.service: box for box in self.daemon.boxes(self.project.name)}
        for service in services:
            self._tell(service, boxes.get(service))
        # Not before compose has done: what it is about to replace is not what will run.
        if code != 0 or not self._are_ready(services, boxes):
            self._give_up(job, services, boxes)
        return self.ready.issuperset(services)

    def _are_ready(self, services: Sequence[str], boxes: Mapping[str, Box]) -> bool:
        for status in self._statuses(services, boxes):
            if status.ready and status.service not in self.ready:
                self.ready.add(status.service)
                where = f" at {status.url}" if status.url else ""
                self.watch.say(status.service, f"ready after {self.watch.elapsed:.1f} s{where}")
        return self.ready.issuperset(services)

    def _statuses(self, services: Sequence[str], boxes: Mapping[str, Box]) -> tuple[ServiceStatus, ...]:
        return state.statuses(self.plan, services, boxes, time.time(), self.ask)

    def _tell(self, service: str, box: Box | None) -> None:
        if box and self.seen.get(service) != (box.state, box.started):
            self.seen[service] = (box.state, box.started)
            self.watch.say(service, _WORDS.get(box.state, box.state))

    def _give_up(self, job: Job, services: Sequence[str], boxes: Mapping[str, Box]) -> None:
        """Raise when it is too late, or of no use to wait."""
        code = job.done()
        ours = [boxes[service] for service in services if service in boxes]
        bad = {box.service for box in ours if self._hopeless(box, over=code is not None)}
        if not (bad or code or self.watch.elapsed > self.watch.deadline):
            for box in ours if code == 0 else ():
                self._await(box)
            return
        _refuse_taken(job)
        found = self._statuses(services, boxes)
        wrong = bad or {status.service for status in found if not status.ready}
        problems = [self._problem(one, boxes.get(one.service)) for one in found if one.service in wrong]
        if code is None and not problems:
            problems = [self._unended(job)]
        if code or problems:  # else the last became ready while we looked: the next look sees it
            raise EngineError(*(self._words(job) if code else []), *problems)

    def _hopeless(self, box: Box, *, over: bool) -> bool:
        """Its past is not held against it, nor, until compose is `over`, that it does not run yet."""
        restarts = {one.name: one.restarts for one in self.before}.get(box.name, 0)
        again = box.restarts - restarts if box.restarts >= restarts else box.restarts
        unhealthy = box.health == "unhealthy" and not self._outlived(box)
        return again >= LOOP or (over and (unhealthy or box.state in {"exited", "dead"}))

    def _outlived(self, box: Box) -> bool:
        """Whether it ran before: it may have been checked while what it needs was away, and that is over."""
        return (box.name, box.started) in {(one.name, one.started) for one in self.before}

    def _await(self, box: Box) -> None:
        """Say, once, why it is waited for."""
        if box.health == "unhealthy" and self._outlived(box) and box.service not in self.awaited:
            self.awaited.add(box.service)
            self.watch.say(box.service, "was unhealthy; its next health check will tell")

    def _problem(self, status: ServiceStatus, box: Box | None) -> Problem:
        message = f"{status.service} is not ready after {self.watch.elapsed:.0f} s: {status.obstacle}"
        lines = tail(self.daemon, box) if box else ()
        message += "".join(f"\n    {line}" for line in ("its last log lines:", *lines)) if lines else ""
        return Problem(message, hint=f"docker logs {box.name}" if box else "")

    def _words(self, job: Job) -> list[Problem]:
        return [Problem(f"docker compose: {line}") for line in _last(job)]

    def _unended(self, job: Job) -> Problem:
        """Every container may be ready, and compose itself not."""
        message = f"docker compose has not ended after {self.watch.elapsed:.0f} s"
        return Problem(message, hint="".join(f"it said at last: {line}" for line in _last(job)))


def _last(job: Job) -> list[str]:
    """The last line it said, if it said any."""
    return [line.strip() for line in job.said().splitlines() if line.strip()][-1:]


def _refuse_taken(job: Job) -> None:
    """A port that was free a moment ago."""
    taken = [line.strip() for line in job.said().splitlines() if any(word in line for word in _TAKEN)]
    if taken:
        raise PortConflictError(Problem(taken[-1], hint="stop who has it, or take --set ports.offset=1000"))


def tail(daemon: Daemon, box: Box, lines: int = _SHOWN) -> tuple[str, ...]:
    """The last log lines of a container."""
    return tuple(line.text for line in daemon.logs([box], LogRequest(lines=lines)))


def clear(daemon: Daemon, project: Project, keep: set[str]) -> None:
    """Remove containers, networks, and volumes but those to `keep`; EngineError when something stays."""
    named, empty = replace(project, files=()), 0
    for _ in range(_LOOKS):
        if not left(daemon, project.name, keep):
            empty += 1
            if empty == _EMPTY:
                return
            time.sleep(_POLL)
            continue
        empty = 0
        finished(daemon.compose(named, "down", "--remove-orphans"))
        daemon.discard(daemon.volumes(project.name) - keep)
    raise EngineError(*(Problem(f"{thing} stays") for thing in left(daemon, project.name, keep)))


def left(daemon: Daemon, project: str, keep: set[str]) -> list[str]:
    """What there is of a project, in words."""
    return [
        *(f"container {box.name}" for box in daemon.boxes(project)),
        *(f"network {name}" for name in sorted(daemon.networks(project))),
        *(f"volume {name}" for name in sorted(daemon.volumes(project) - keep)),
    ]


def finished(job: Job, patience: float = STOP) -> int:
    """The job's exit code, once it has ended; it is ended after `patience` seconds."""
    end = time.monotonic() + patience
    try:
        while job.done() is None and time.monotonic() < end:
            time.sleep(_POLL / 2)
    finally:
        job.stop()
    return job.done() or 0
