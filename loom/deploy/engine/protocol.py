"""The seam to what runs a deployment, and the data that crosses it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from loom.deploy.artifacts.model import Artifact
from loom.deploy.engine.deployment import Deployment, Home
from loom.deploy.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of `up` or `down`."""

    service: str
    """The service it is about; empty for the deployment as a whole."""
    text: str
    """What happened: `ready after 1.2 s`."""


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service as it is now."""

    service: str
    state: str
    """The supervisor's or Docker's word for it: RUNNING, HEALTHY, STARTING, BACKOFF, FATAL …; ABSENT
    without one."""
    pid: int = 0
    """0 when it does not run."""
    uptime: float = 0.0
    """Seconds since its last start."""
    obstacle: str = ""
    """Why it is not ready; empty when it is."""
    restarts: int = 0
    """How often it ended by itself in the last minutes."""
    url: str = ""
    """Where to reach it from this machine."""
    tail: tuple[str, ...] = ()
    """Its last log lines; only when something is wrong with it."""

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return not self.obstacle

    @property
    def looping(self) -> bool:
        """Whether it dies again and again."""
        return self.state == "FATAL" or self.restarts >= LOOP


LOOP = 3
"""Restarts within the last minutes that make a restart loop."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a service's log."""

    service: str
    text: str


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Which lines are asked for."""

    services: Sequence[str] = ()
    """Names of services; all of them when empty."""
    lines: int = 50
    """Last lines of each."""
    follow: bool = False
    """Whether to wait for more, for ever."""


class Engine(Protocol):
    """Runs deployments. Every method is safe to call again."""

    name: str
    python: str
    """The interpreter with Loom in it, where `run` runs programs."""

    def obstacle(self) -> str:
        """Why this engine cannot work on this machine; empty when it can."""

    def absences(self, plan: Plan) -> Mapping[str, str]:
        """Services of the plan that it would not run here, each with the reason and what to do about it."""

    def essential(self, service: str) -> bool:
        """Whether a deployment is of no use without the service."""

    def up(
        self, deployment: Deployment, artifacts: Sequence[Artifact], report: Report, deadline: float
    ) -> None:
        """Start the deployment, or bring a running one up to date, and return when every service is ready.

        EngineError or ToolchainError when that cannot be within `deadline` seconds; what was started is
        stopped again then, also after an interrupt. PortConflictError before anything is started.
        """

    def status(self, deployment: Deployment) -> tuple[ServiceStatus, ...]:
        """Every service as it is now."""

    def logs(self, deployment: Deployment, request: LogRequest) -> Iterator[LogLine]:
        """Lines of the logs; EngineError for a service that there is not."""

    def run(self, deployment: Deployment, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a program that reports to the deployment, on our own terminal; its exit code.

        `environment` comes on top of the variables that tell Loom where to report.
        """

    def signal(self, deployment: Deployment, service: str, name: str) -> bool:
        """Send a running service a signal by its name, `USR1`; False where it does not run."""

    def restart(self, deployment: Deployment, service: str) -> bool:
        """Have a running service end and start anew; False where it does not run. Waits for nothing more."""

    def has_data(self, home: Home) -> bool:
        """Whether there is data of the deployment, running or not; False where that cannot be known."""

    def down(self, home: Home, report: Report, *, volumes: bool = False, images: bool = False) -> bool:
        """Stop everything, and remove data and images if so told; whether anything ran.

        Works without a record, or with a damaged one. EngineError when a process is left.
        """
