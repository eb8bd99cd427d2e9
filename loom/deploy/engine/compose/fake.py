"""The fake of the seam: a daemon in memory."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from loom.deploy.engine.compose.daemon import Box, Job
from loom.deploy.engine.compose.project import Project
from loom.deploy.engine.protocol import LogLine, LogRequest

_CLOCK = count(1)


@dataclass
class FakeJob:
    """Has done all its work when it is made."""

    code: int | None = 0
    words: str = ""
    stopped: bool = False

    def done(self) -> int | None:
        """Its code; None when it never ends."""
        return self.code

    def stop(self) -> None:
        """Note it."""
        self.stopped = True

    def said(self) -> str:
        """Its words."""
        return self.words


@dataclass
class FakeDaemon:
    """Containers, volumes and networks as data; `up` makes them, `down` removes them."""

    cannot: str = ""
    """What `trouble` answers."""
    images: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """Image → why it cannot be pulled; every other one can."""
    fate: dict[str, Box] = field(default_factory=dict)
    """Service → the container that comes of it, instead of a healthy one."""
    failure: str = ""
    """What `docker compose up` says when it fails; empty when it succeeds."""
    unended: str = ""
    """What `docker compose up` says when it does all and never ends; empty when it ends."""
    there: dict[str, dict[str, Box]] = field(default_factory=dict)
    """Project → service → container."""
    data: dict[str, set[str]] = field(default_factory=dict)
    """Project → volumes."""
    strangers: dict[str, tuple[str, frozenset[int]]] = field(default_factory=dict)
    """Containers of others, as `owners` gives them."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """Every command of compose."""
    pulled: list[str] = field(default_factory=list)

    def trouble(self) -> str:
        """As it was told."""
        return self.cannot

    def version(self) -> str:
        """None in particular."""
        return "0"

    def lacking(self, references: Collection[str]) -> set[str]:
        """Those not among its images."""
        return set(references) - self.images

    def unobtainable(self, reference: str, patience: float) -> str:
        """As it was told."""
        del patience
        return self.refused.get(reference, "")

    def pull(self, reference: str) -> None:
        """Have it."""
        self.pulled.append(reference)
        self.images.add(reference)

    def boxes(self, project: str) -> tuple[Box, ...]:
        """What is there."""
        return tuple(self.there.get(project, {}).values())

    def owners(self) -> dict[str, tuple[str, frozenset[int]]]:
        """Ours and others'."""
        ours = {box.name: (name, box.ports) for name, boxes in self.there.items() for box in boxes.values()}
        return self.strangers | ours

    def volumes(self, project: str) -> set[str]:
        """What is there."""
        return set(self.data.get(project, ()))

    def networks(self, project: str) -> set[str]:
        """One, while there are containers."""
        return {f"{project}_observability"} if self.there.get(project) else set()

    def discard(self, volumes: Collection[str]) -> None:
        """Forget them."""
        for kept in self.data.values():
            kept -= set(volumes)

    def discard_image(self, reference: str) -> str:
        """Forget it, unless a container is there."""
        if any(self.there.values()):
            return "a container uses it"
        self.images.discard(reference)
        return ""

    def compose(self, project: Project, *arguments: str) -> Job:
        """Do it at once."""
        self.asked.append(arguments)
        if arguments[0] == "down":
            self.there.pop(project.name, None)
            return FakeJob()
        services = [word for word in arguments[1:] if not word.startswith("--") and word != "never"]
        boxes = self.there.setdefault(project.name, {})
        self.data.setdefault(project.name, set()).add(f"{project.name}_data")
        for service in services:
            boxes.setdefault(service, self._made(service))
        if self.unended and arguments[0] == "up":
            return FakeJob(None, self.unended)
        return FakeJob(1 if self.failure else 0, self.failure)

    def run(self, project: Project, *arguments: str) -> int:
        """Note it."""
        del project
        self.asked.append(arguments)
        return 0

    def logs(self, boxes: Sequence[Box], request: LogRequest) -> Iterator[LogLine]:
        """One line of each."""
        for box in boxes:
            yield from [LogLine(box.service, f"{box.name} speaks")][: request.lines]

    def _made(self, service: str) -> Box:
        fate = self.fate.get(service, Box(f"loom-{service}", service, "running", pid=1))
        return replace(fate, started=float(next(_CLOCK)))
