"""The fakes of the seams: a network and a machine that answer what a test puts into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loom.deploy.doctor.evidence import Answer, Certificate, Credentials, Disk, Sender
from loom.deploy.doctor.papers import Papers
from loom.deploy.engine.deployment import Home
from loom.deploy.plan.model import Plan


@dataclass
class FakeNetwork:
    """Answers by URL; what is not in it refuses the connection."""

    pages: dict[str, Answer] = field(default_factory=dict)
    exports: dict[tuple[str, str], str] = field(default_factory=dict)
    """(URL, protocol) → what the export was answered."""
    names: dict[str, str] = field(default_factory=dict)
    """Host → why it does not resolve."""
    closed: dict[int, str] = field(default_factory=dict)
    """Port → why nobody takes a connection."""
    certificates: dict[str, Certificate] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Every URL, in order."""
    shown: list[Papers] = field(default_factory=list)
    """What each export was tried with."""

    def get(self, url: str) -> Answer:
        """See `Network.get`."""
        self.asked.append(url)
        return self.pages.get(url, Answer(url, error="connection refused"))

    def export(self, url: str, protocol: str, papers: Papers) -> str:
        """See `Network.export`."""
        self.shown.append(papers)
        return self.exports.get((url, protocol), "")

    def resolve(self, host: str) -> str:
        """See `Network.resolve`."""
        return self.names.get(host, "")

    def connect(self, host: str, port: int) -> str:
        """See `Network.connect`."""
        del host
        return self.closed.get(port, "")

    def certificate(self, host: str, port: int) -> Certificate:
        """See `Network.certificate`."""
        place = f"{host}:{port}"
        return self.certificates.get(place, Certificate(place, error="no TLS"))


@dataclass
class FakeMachine:
    """A machine in memory."""

    clock: float = 0.0
    """Seconds since 1970; a pause moves it on."""
    listening: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    """Port → who listens, in words."""
    ours: frozenset[int] = frozenset()
    connected: dict[int, tuple[Sender, ...]] = field(default_factory=dict)
    memory: dict[int, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    disks: dict[str, Disk] = field(default_factory=dict)
    refused: str | None = ""
    held: Credentials = field(default_factory=Credentials)

    def now(self) -> float:
        """See `Machine.now`."""
        return self.clock

    def pause(self, seconds: float) -> None:
        """See `Machine.pause`."""
        self.clock += seconds

    def listeners(self) -> Mapping[int, int]:
        """See `Machine.listeners`."""
        return self.listening

    def who(self, port: int) -> str:
        """See `Machine.who`."""
        return self.names.get(port, f"pid {self.listening.get(port, 0)}")

    def own(self, home: Home) -> frozenset[int]:
        """See `Machine.own`."""
        del home
        return self.ours

    def senders(self, port: int) -> tuple[Sender, ...]:
        """See `Machine.senders`."""
        return self.connected.get(port, ())

    def resident(self, pid: int) -> int:
        """See `Machine.resident`."""
        return self.memory.get(pid, 0)

    def files(self, folder: Path) -> Mapping[str, str]:
        """See `Machine.files`."""
        del folder
        return self.texts

    def credentials(self, plan: Plan, rendered: Path) -> Credentials:
        """See `Machine.credentials`."""
        del plan, rendered
        return self.held

    def disk(self, folder: Path) -> Disk | None:
        """See `Machine.disk`."""
        return self.disks.get(str(folder))

    def refusal(self, file: Path, environ: Mapping[str, str]) -> str | None:
        """See `Machine.refusal`."""
        del file, environ
        return self.refused
