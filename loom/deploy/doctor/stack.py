"""What is examined: endpoints, and as much as is known about who started them. Data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from loom.deploy.credentials.access import PLAIN, Access, access
from loom.deploy.engine import Deployment, EmbeddedEngine
from loom.deploy.engine.embedded import RECEIVER, ports
from loom.deploy.plan import topology
from loom.deploy.plan.edges import OPERATOR
from loom.deploy.plan.identity import FOLDER
from loom.deploy.plan.model import Method, Plan, Port, Purpose, Service


class Endpoint(StrEnum):
    """Where something can be asked; the value is its name on the command line."""

    OTLP = "otlp"
    COLLECTOR_HEALTH = "collector-health"
    COLLECTOR_METRICS = "collector-metrics"
    """The collector's telemetry about itself."""
    COLLECTOR_EXPORTER = "collector-exporter"
    """Its Prometheus exporter: Loom's metrics."""
    JAEGER = "jaeger"
    JAEGER_METRICS = "jaeger-metrics"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    RECEIVER = "receiver"
    """The page of an embedded receiver: what it took, and what is wrong with it."""


SERVICES: Mapping[Endpoint, str] = {
    Endpoint.COLLECTOR_HEALTH: Service.COLLECTOR,
    Endpoint.JAEGER: Service.JAEGER,
    Endpoint.PROMETHEUS: Service.PROMETHEUS,
    Endpoint.ALERTMANAGER: Service.ALERTMANAGER,
    Endpoint.GRAFANA: Service.GRAFANA,
    Endpoint.RECEIVER: RECEIVER,
}
"""The endpoint that says whether a service answers; the embedded receiver is none of a plan's."""

_PORTS = {
    Endpoint.COLLECTOR_HEALTH: (Service.COLLECTOR, Purpose.HEALTH),
    Endpoint.COLLECTOR_METRICS: (Service.COLLECTOR, Purpose.TELEMETRY),
    Endpoint.COLLECTOR_EXPORTER: (Service.COLLECTOR, Purpose.EXPORTER),
    Endpoint.JAEGER_METRICS: (Service.JAEGER, Purpose.TELEMETRY),
    Endpoint.PROMETHEUS: (Service.PROMETHEUS, Purpose.UI),
    Endpoint.ALERTMANAGER: (Service.ALERTMANAGER, Purpose.UI),
    Endpoint.GRAFANA: (Service.GRAFANA, Purpose.UI),
    Endpoint.RECEIVER: (Service.GRAFANA, Purpose.UI),  # its page takes that port
}


@dataclass(frozen=True, slots=True)
class Stack:
    """One deployment, ours or somebody else's."""

    endpoints: Mapping[Endpoint, str]
    """URLs without a slash at the end; what is missing here cannot be asked."""
    plan: Plan | None = None
    """None when nothing is known but endpoints."""
    deployment: Deployment | None = None
    """None when loom-deploy did not start it."""
    folder: Path | None = None
    """The configuration files."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """What a Loom process would see."""

    @property
    def rendered(self) -> Path | None:
        """The folder beside which the credentials lie; None when it is not known."""
        if self.deployment:
            return self.deployment.home.rendered
        return self.folder if self.folder and self.folder.is_dir() else None

    @property
    def access(self) -> Access:
        """What we show the services."""
        known = self.plan and self.rendered
        return access(self.plan, known / FOLDER) if self.plan and known else PLAIN

    @property
    def guarded(self) -> Mapping[str, bool]:
        """Address of each port that speaks TLS → whether it asks for our password."""
        plan = self.plan
        if plan is None:
            return {}
        asking = {
            (edge.service, edge.purpose)
            for edge in plan.edges
            if edge.source == OPERATOR and edge.method is Method.PASSWORD
        }
        places = ((port.service, port.purpose) for port in plan.ports)
        return {plan.reached(*place): place in asking for place in places if plan.encrypted(*place)}


def embedded(deployment: Deployment | None) -> bool:
    """Whether a receiver of ours is all there is: no collector, no store, nobody who reads rendered files."""
    return deployment is not None and deployment.engine == EmbeddedEngine.name


def bound(plan: Plan, deployment: Deployment | None) -> list[Port]:
    """The ports that a deployment binds, or would bind, on this machine."""
    if embedded(deployment):
        return list(ports(plan))
    if deployment and deployment.engine == "native":
        return [port for port in plan.ports if port.service is not Service.GRAFANA]
    return [port for port in plan.ports if port.published]


def endpoints(plan: Plan, deployment: Deployment | None) -> dict[Endpoint, str]:
    """Where a plan's services are reached from this machine."""
    return {
        endpoint: plan.reached(*place)
        for endpoint in Endpoint
        if plan.has(*(place := _place(plan, endpoint))) and _reachable(plan, endpoint, deployment)
    }


def _place(plan: Plan, endpoint: Endpoint) -> tuple[Service, Purpose]:
    """Who answers there, and on which of its ports."""
    if endpoint is Endpoint.OTLP:
        return topology.entries(plan.profile)[0], Purpose.OTLP_GRPC
    return (plan.traces, Purpose.UI) if endpoint is Endpoint.JAEGER else _PORTS[endpoint]


def _reachable(plan: Plan, endpoint: Endpoint, deployment: Deployment | None) -> bool:
    if embedded(deployment) or endpoint is Endpoint.RECEIVER:
        return embedded(deployment) and endpoint in {Endpoint.OTLP, Endpoint.RECEIVER}
    native = deployment is not None and deployment.engine == "native"
    if endpoint is Endpoint.GRAFANA:
        return not native  # it can be had as an image only
    return native or plan.port(*_place(plan, endpoint)).published
