"""The fake of the seam: an engine that runs nothing and remembers everything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from loom.deploy.artifacts.model import Artifact
from loom.deploy.engine import logs
from loom.deploy.engine.deployment import Deployment, Home
from loom.deploy.engine.protocol import LogLine, LogRequest, Progress, Report, ServiceStatus
from loom.deploy.engine.readiness import front, native
from loom.deploy.plan.model import Plan, Service
from loom.errors import EngineError


@dataclass
class FakeEngine:
    """Up and down in memory; records are written as any engine does, so that the other verbs find them."""

    name: str = "fake"
    python: str = "python3"
    cannot: str = ""
    """What `obstacle` answers."""
    unready: dict[str, str] = field(default_factory=dict)
    """Service → why it is not ready."""
    running: set[str] = field(default_factory=set)
    """Names of deployments that are up."""
    data: set[str] = field(default_factory=set)
    """Names of deployments that have data."""
    lacking: dict[str, str] = field(default_factory=lambda: {"grafana": "it can be had as an image only"})
    """What `absences` answers."""
    commands: list[tuple[str, ...]] = field(default_factory=list)
    """What was run."""
    signals: list[tuple[str, str]] = field(default_factory=list)
    """What was sent: service and signal."""
    away: set[str] = field(default_factory=set)
    """Services that no signal reaches."""
    discarded: bool = False
    """Whether images were removed."""
    lines: tuple[str, ...] = ("a line",)
    """What every service has logged."""

    def obstacle(self) -> str:
        """As it was told."""
        return self.cannot

    def absences(self, plan: Plan) -> Mapping[str, str]:
        """As it was told."""
        del plan
        return self.lacking

    def essential(self, service: str) -> bool:
        """Those that it runs."""
        return service != Service.GRAFANA

    def up(
        self, deployment: Deployment, artifacts: Sequence[Artifact], report: Report, deadline: float
    ) -> None:
        """Note it, or fail for the first service that is not to become ready."""
        del artifacts
        deployment.home.root.mkdir(parents=True, exist_ok=True)
        for service in native(deployment.plan):
            if service in self.unready:
                message = f"{service} is not ready after {deadline:g} s: {self.unready[service]}"
                raise EngineError(message)
            report(Progress(service, "ready"))
        replace(deployment, engine=self.name).save()
        self.running.add(deployment.name)
        self.data.add(deployment.name)

    def status(self, deployment: Deployment) -> tuple[ServiceStatus, ...]:
        """RUNNING or ABSENT."""
        if deployment.name not in self.running:
            return tuple(
                ServiceStatus(service, "ABSENT", obstacle="not running")
                for service in native(deployment.plan)
            )
        return tuple(
            ServiceStatus(
                service, "RUNNING", 1, 0.0, self.unready.get(service, ""), 0, front(deployment.plan, service)
            )
            for service in native(deployment.plan)
        )

    def logs(self, deployment: Deployment, request: LogRequest) -> Iterator[LogLine]:
        """The same lines of each service."""
        known = native(deployment.plan)
        logs.require_known(request.services, known)
        return (
            LogLine(service, line)
            for service in request.services or known
            for line in self.lines[-request.lines :]
        )

    def run(self, deployment: Deployment, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Note it; 1 for the command `false`."""
        del deployment, environment
        self.commands.append(tuple(command))
        return int(command[0] == "false")

    def signal(self, deployment: Deployment, service: str, name: str) -> bool:
        """Note it; it is sent unless the service is away."""
        del deployment
        if service in self.away:
            return False
        self.signals.append((service, name))
        return True

    def restart(self, deployment: Deployment, service: str) -> bool:
        """Note it, as a signal of that name."""
        return self.signal(deployment, service, "restart")

    def has_data(self, home: Home) -> bool:
        """Whether it was up and has data since."""
        return home.name in self.data

    def down(self, home: Home, report: Report, *, volumes: bool = False, images: bool = False) -> bool:
        """Note it."""
        self.discarded |= images
        report(Progress("", "stopping"))
        ran = home.name in self.running
        self.running.discard(home.name)
        if volumes:
            self.data.discard(home.name)
        home.forget()
        return ran
