"""A plan in one structure of plain values: what `loom-deploy plan` shows, to people and to machines."""

from dataclasses import asdict
from typing import TypedDict

from loom.deploy.plan.derive import remarks
from loom.deploy.plan.estimate import SPANS_PER_EVENT, kept_seconds, queue_seconds
from loom.deploy.plan.model import Container, Edge, Plan
from loom.deploy.plan.outward import Outward, every
from loom.deploy.plan.topology import COLLECTORS


class PortSummary(TypedDict):
    """One port; `host` is also where the native engine listens."""

    purpose: str
    container: int
    host: int
    published: bool
    outside: bool


class ServiceSummary(TypedDict):
    """One service."""

    service: str
    container: str
    image: str
    memory_mib: int
    gomemlimit_mib: int
    volume: str
    data: str
    ports: list[PortSummary]


class Kept(TypedDict):
    """How long telemetry is kept, and what ends it: `time`, `size` or `count`."""

    seconds: float
    limit: str
    bytes: int


class Queue(TypedDict):
    """The collector's sending queue."""

    items: int
    storage: str
    bytes: int
    seconds: float
    """How long it lasts at the estimated rate of spans; 0 when none are sampled."""


class EdgeSummary(TypedDict):
    """Who calls whom, and how that is protected."""

    edge: str
    """`prometheus -> jaeger:telemetry`."""
    what: str
    encrypted: bool
    method: str
    network: str
    waiver: str
    """Until when, and why, it may be less than encrypted and authenticated; empty without."""


class Summary(TypedDict):
    """The whole plan."""

    profile: str
    description: str
    environment: str
    naming: str
    namespace: str
    services: list[ServiceSummary]
    limiter: dict[str, int]
    traces: Kept
    metrics: Kept
    queue: Queue
    edges: list[EdgeSummary]
    disk: int
    """Bytes of all volumes together."""
    estimate: dict[str, float]
    remarks: list[str]


def summarize(plan: Plan) -> Summary:
    """The summary of a plan."""
    profile = plan.profile
    return {
        "profile": profile.name,
        "description": profile.description,
        "environment": profile.environment,
        "naming": str(plan.naming.style),
        "namespace": plan.naming.namespace,
        "services": [_service(plan, container) for container in plan.containers],
        "limiter": asdict(plan.limiter),
        "traces": _traces(plan),
        "metrics": _metrics(plan),
        "queue": _queue(plan),
        "edges": [_edge(edge) for edge in every(plan)],
        "disk": _disk(plan),
        "estimate": asdict(plan.estimate),
        "remarks": [str(remark) for remark in remarks(plan)],
    }


def _edge(edge: Edge | Outward) -> EdgeSummary:
    return {
        "edge": edge.name,
        "what": edge.what,
        "encrypted": edge.encrypted,
        "method": str(edge.method),
        "network": str(edge.network),
        "waiver": f"until {edge.waiver.until}: {edge.waiver.reason}" if edge.waiver else "",
    }


def _disk(plan: Plan) -> int:
    volumes, profile = plan.profile.volumes, plan.profile
    stored = volumes.jaeger.base if profile.tracing.storage == "badger" else 0
    # Each collector that keeps its queue on disk has a volume of its own.
    queues = [one for one in plan.containers if one.service.role in COLLECTORS and one.volume]
    queued = volumes.collector.base * len(queues)
    thanos = profile.metrics.longterm.thanos
    blocks = volumes.thanos.base if thanos and not thanos.objstore.config_secret else 0
    return volumes.prometheus.base + stored + queued + blocks


def _service(plan: Plan, container: Container) -> ServiceSummary:
    ports: list[PortSummary] = [
        {
            "purpose": str(port.purpose),
            "container": port.container,
            "host": port.native,
            "published": port.published,
            "outside": port.outside,
        }
        for port in plan.ports
        if port.service is container.service
    ]
    return {
        "service": str(container.service),
        "container": container.name,
        "image": container.program.reference,
        "memory_mib": container.memory_mib,
        "gomemlimit_mib": container.gomemlimit_mib,
        "volume": container.volume,
        "data": container.data,
        "ports": ports,
    }


def _traces(plan: Plan) -> Kept:
    tracing, rate = plan.profile.tracing, plan.estimate.spans_per_second
    if tracing.storage == "badger":
        return {"seconds": tracing.retention.seconds, "limit": "time", "bytes": plan.estimate.jaeger_bytes}
    seconds = tracing.max_traces * SPANS_PER_EVENT / rate if rate else 0.0
    return {"seconds": seconds, "limit": "count", "bytes": 0}


def _metrics(plan: Plan) -> Kept:
    seconds = kept_seconds(plan.profile, plan.estimate)
    whole = seconds >= plan.profile.metrics.retention.time.seconds
    most = min(plan.estimate.prometheus_bytes, plan.profile.metrics.retention.size.base)
    return {"seconds": seconds, "limit": "time" if whole else "size", "bytes": most}


def _queue(plan: Plan) -> Queue:
    queue = plan.profile.collector.queue
    return {
        "items": queue.size,
        "storage": queue.storage,
        "bytes": plan.estimate.queue_bytes,
        "seconds": queue_seconds(plan.profile),
    }
