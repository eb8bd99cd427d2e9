"""The seam to Docker: what is asked of a daemon, and the data it answers with."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loom.deploy.engine.compose.project import Project
from loom.deploy.engine.protocol import LogLine, LogRequest


@dataclass(frozen=True, slots=True)
class Box:
    """One container of a project as it is now."""

    name: str
    """`loom-jaeger`."""
    service: str
    """Its compose service."""
    state: str
    """Docker's word: created, running, paused, restarting, removing, exited, dead."""
    health: str = ""
    """starting, healthy or unhealthy; empty without a health check."""
    pid: int = 0
    """On this machine; 0 when it does not run."""
    started: float = 0.0
    """Its last start, in seconds since 1970; 0 before the first."""
    restarts: int = 0
    """How often Docker has started it again."""
    exit_code: int = 0
    """Of its last end."""
    killed_for_memory: bool = False
    error: str = ""
    """Why Docker could not start it."""
    checked: str = ""
    """What the last health check printed at last."""
    memory: int = 0
    """Its limit in bytes; 0 for none."""
    ports: frozenset[int] = field(default_factory=frozenset)
    """Published on this machine."""


class Job(Protocol):
    """A `docker compose` command on its way."""

    def done(self) -> int | None:
        """Its exit code; None while it runs."""

    def stop(self) -> None:
        """End it, and return when it has ended; no error when it has."""

    def said(self) -> str:
        """What it has printed so far."""


class Daemon(Protocol):
    """A Docker Engine with its command line. EngineError when one fails that worked before."""

    def trouble(self) -> str:
        """Why it cannot be used: no command line, no daemon that answers, no Compose; empty when it can."""

    def version(self) -> str:
        """The daemon's version."""

    def lacking(self, references: Collection[str]) -> set[str]:
        """Those images that are not here."""

    def unobtainable(self, reference: str, patience: float) -> str:
        """Why the image cannot be pulled, found out within `patience` seconds; empty when it can."""

    def pull(self, reference: str) -> None:
        """Pull an image."""

    def boxes(self, project: str) -> tuple[Box, ...]:
        """All containers of a compose project, in order of name; one-off ones too."""

    def owners(self) -> dict[str, tuple[str, frozenset[int]]]:
        """Every container of the machine: name → its compose project or "", and the ports it publishes."""

    def volumes(self, project: str) -> set[str]:
        """Names of the volumes of a project."""

    def networks(self, project: str) -> set[str]:
        """Names of the networks of a project."""

    def discard(self, volumes: Collection[str]) -> None:
        """Remove volumes with all that is in them."""

    def discard_image(self, reference: str) -> str:
        """Remove an image; why it was not removed, empty when it was or there was none."""

    def compose(self, project: Project, *arguments: str) -> Job:
        """Start `docker compose` for a project, apart from our own terminal and its interrupts."""

    def run(self, project: Project, *arguments: str) -> int:
        """`docker compose` on our own terminal; its exit code."""

    def logs(self, boxes: Sequence[Box], request: LogRequest) -> Iterator[LogLine]:
        """Lines of the containers' logs."""
