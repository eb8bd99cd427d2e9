"""Everything that was asked and answered, at one moment. Data, and reading it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from loom.deploy.doctor.exposition import Page, read
from loom.deploy.doctor.questions import REPORT
from loom.deploy.doctor.stack import Endpoint, Stack
from loom.deploy.engine import ServiceStatus
from loom.deploy.plan.model import Service
from loom.errors import Problem


@dataclass(frozen=True)
class Answer:
    """What a GET came to."""

    url: str
    status: int = 0
    """HTTP status; 0 without an answer."""
    body: str = ""
    error: str = ""
    """Why there was none."""
    ahead: float = 0.0
    """Seconds that the answer's Date is ahead of our clock; 0 without one."""

    @property
    def good(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    @property
    def said(self) -> str:
        """`http://… answers 200`, or why not."""
        if self.error:
            return f"{self.url} does not answer: {self.error}"
        return f"{self.url} answers {self.status}"

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The parsed body; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where Loom sends, and what came of trying the same."""

    origin: str
    """The environment variable that says so; empty when it is the deployment's own address."""
    url: str
    protocol: str
    """`grpc` or `http/protobuf`, as the environment says."""
    malformed: str = ""
    unresolved: str = ""
    unconnected: str = ""
    refused: str = ""
    """What a real OTLP export in that protocol was answered; empty when it was taken."""
    other: str = ""
    """The other protocol, when that one was taken."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port of the deployment."""

    port: int
    service: Service
    purpose: str
    who: str
    """`pid 12: nc -l 9090`."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a folder lies on."""

    folder: str
    total: int
    """Bytes."""
    free: int
    """Bytes that we may use."""
    need: int = 0
    """Bytes that the data may still want by the plan; 0 when unknown."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A process of this machine that is connected to the collector."""

    pid: int
    command: str
    started: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its end."""

    place: str
    """A file, or `host:port`."""
    expires: float = 0.0
    """Seconds since 1970."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A deployment's certificates and secrets, by their files. No problem says anything of a content."""

    wrong: tuple[Problem, ...] = ()
    soon: tuple[Problem, ...] = ()
    """What ends soon."""
    closed: tuple[Problem, ...] = ()
    """What we may not read: it belongs to the user of a container."""


@dataclass(frozen=True)
class Evidence:
    """The whole. Fields are empty where there was nothing to ask."""

    stack: Stack
    now: float = 0.0
    """Seconds since 1970."""
    answers: Mapping[tuple[Endpoint, str], Answer] = field(default_factory=dict)
    """(endpoint, path) → answer."""
    second: Answer | None = None
    """The collector's own metrics once more, a moment later."""
    destinations: tuple[Destination, ...] = ()
    statuses: tuple[ServiceStatus, ...] = ()
    """By the engine; none when loom-deploy did not start it."""
    holders: tuple[Holder, ...] = ()
    """Those of the plan's ports that somebody else than the deployment listens on."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path below the folder → text."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Collector configuration → what `otelcol validate` says against it; empty when it takes it."""
    disks: tuple[Disk, ...] = ()
    memory: Mapping[Service, int] = field(default_factory=dict)
    """Resident bytes of each local process."""
    senders: tuple[Sender, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    credentials: Credentials = Credentials()

    def asked(self, endpoint: Endpoint, path: str) -> Answer | None:
        """The answer; None when there is no such endpoint."""
        return self.answers.get((endpoint, path))

    def data(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """The `data` of Prometheus' answer; None when it does not answer so."""
        answer = self.asked(Endpoint.PROMETHEUS, path)
        document = answer.json if answer and answer.good else None
        return document.get("data") if isinstance(document, dict) else None

    @property
    def report(self) -> Mapping[str, Any] | None:
        """What the embedded receiver says of what it took; None when it does not say."""
        answer = self.asked(Endpoint.RECEIVER, REPORT)
        document = answer.json if answer and answer.good else None
        return document if isinstance(document, dict) else None

    def page(self, endpoint: Endpoint) -> Page | None:
        """A page of metrics; None when there is none."""
        answer = self.asked(endpoint, "/metrics")
        return read(answer.body) if answer and answer.good else None

    @property
    def later(self) -> Page | None:
        """The collector's own metrics at the second look."""
        return read(self.second.body) if self.second and self.second.good else None

    def status(self, service: str) -> ServiceStatus | None:
        """What the engine says of a service; None when it says nothing."""
        return next((status for status in self.statuses if status.service == service), None)

    @property
    def collector_files(self) -> dict[str, str]:
        """Those of the files that a collector reads."""
        return {path: text for path, text in self.files.items() if _is_collector(path)}


def _is_collector(path: str) -> bool:
    name = Path(path).name
    return name.endswith((".yaml", ".yml")) and ("collector" in name or name.startswith("otelcol"))
