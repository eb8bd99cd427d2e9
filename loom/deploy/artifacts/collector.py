"""The configuration of each OpenTelemetry Collector: in containers one file a role, natively one each."""

import json
from collections.abc import Iterator, Mapping

from loom.contract.environment import ENVIRONMENT
from loom.contract.metrics import ALL
from loom.contract.resource import ENVIRONMENT as ENVIRONMENT_ATTRIBUTE
from loom.deploy.artifacts import protection, sampling
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.place import below, suffix
from loom.deploy.artifacts.template import fill, quote
from loom.deploy.plan import layout, reduction, topology
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.profile.model import Profile

NAME = "otel-collector-config.yaml"

MESSAGE_MIB = 16
"""Largest OTLP message that collector and Jaeger take."""
BATCH_MIN_BYTES = 512 * 2**10
"""Batches are cut by bytes, not by items: however long its spans, none is larger than the receiver takes."""
BATCH_MAX_BYTES = 8 * BATCH_MIN_BYTES
"""Only a sender's own large request comes near it; near the least, every batch would be cut in two."""
STORING = "120s"
"""How long Jaeger may take to store one batch."""
PERSISTENT_RETRY = "0s"
"""With the queue on disk nothing is ever given up."""
MEMORY_RETRY = "300s"
"""With the queue in memory a batch is given up after this long: the queue is lost at a restart anyway."""
_EXPIRATION_EXPORTS = 6
_EXPIRATION_LEAST = 60


def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    """The configurations for either site; replicas in containers are alike, down to their addresses."""
    services = topology.collectors(plan.profile)
    return tuple(
        _artifact(plan, service, site)
        for site in Site
        for service in services
        if site is Site.NATIVE or service is service.role
    )


def name(service: Service, site: Site) -> str:
    """Name of a collector's file: `otel-collector-2-config.yaml`, but in containers that of its role."""
    return f"{service.role if site is Site.COMPOSE else service}-config.yaml"


def storage(plan: Plan, service: Service, site: Site) -> str:
    """Folder of a collector's persistent queue; empty when the queue is in memory."""
    data = plan.container(service).data
    return data if site is Site.COMPOSE or not data else f"${{env:LOOM_DATA}}/{service}"


def expiration(plan: Plan) -> str:
    """How long the exporter keeps a series that is no longer sent: several exports, at least a minute."""
    seconds = plan.profile.metrics.export_interval.seconds * _EXPIRATION_EXPORTS
    return f"{max(_EXPIRATION_LEAST, round(seconds))}s"


def _artifact(plan: Plan, service: Service, site: Site) -> Artifact:
    facts = {**_addresses(plan, service, site), **_facts(plan, service, site)}
    facts |= _protection(plan, service, site)
    text = fill(f"collector/{NAME}.j2", **facts, extensions=list(_extensions(facts)))
    return Artifact(below(site, name(service, site)), text, _description(plan, service, site), Check.OTELCOL)


def _description(plan: Plan, service: Service, site: Site) -> str:
    duty = topology.duty(plan.profile, service)
    store = "Jaeger" if Service.JAEGER in duty.traces else "the samplers"
    tasks = [
        "receives OTLP",
        *(["decides which traces are kept"] if duty.decides else []),
        *([f"hands traces to {store}"] if duty.traces else []),
        *(
            ["metrics to Prometheus" if duty.traces else "hands metrics to Prometheus"]
            if duty.metrics
            else []
        ),
    ]
    who = {Service.METRICS: "Collector for metrics", Service.SAMPLER: "Sampler"}.get(
        service.role, "Collector"
    )
    which = f" {service.replica}" if site is Site.NATIVE and service.replica > 1 else ""
    return f"{who}{which}: {', '.join(tasks[:-1])} and {tasks[-1]}{suffix(site)}."


def _addresses(plan: Plan, service: Service, site: Site) -> dict[str, object]:
    def listen(purpose: Purpose) -> str:
        return plan.listen(service, purpose, site) if plan.has(service, purpose) else ""

    stores = topology.duty(plan.profile, service).traces
    addresses = [plan.address(store, Purpose.OTLP_GRPC, site) for store in stores]
    telemetry_host, _, telemetry_port = listen(Purpose.TELEMETRY).rpartition(":")
    return {
        "grpc": listen(Purpose.OTLP_GRPC),
        "http": listen(Purpose.OTLP_HTTP),
        "health": listen(Purpose.HEALTH),
        "exporter": listen(Purpose.EXPORTER),
        "zpages": listen(Purpose.ZPAGES),
        "pprof": listen(Purpose.PPROF),
        "telemetry_host": telemetry_host,
        "telemetry_port": int(telemetry_port),
        "jaeger": addresses[0] if Service.JAEGER in stores else "",
        "samplers": [] if Service.JAEGER in stores else addresses,
        "prometheus": plan.url(Service.PROMETHEUS, Purpose.UI, site),
        "storage": storage(plan, service, site),
    }


def _protection(plan: Plan, service: Service, site: Site) -> dict[str, object]:
    def guarded(purpose: Purpose) -> protection.Guard | None:
        return protection.guard(plan, service, purpose, site)

    def calling(called: Service, purpose: Purpose) -> protection.Pass | None:
        return protection.credentials(plan, str(service), called, purpose, site)

    ingest, stores = guarded(Purpose.OTLP_GRPC), topology.duty(plan.profile, service).traces
    return {
        "reload": protection.RELOAD,
        "grpc_guard": ingest,
        "http_guard": guarded(Purpose.OTLP_HTTP),
        "token": ingest.token if ingest else "",
        "health_guard": guarded(Purpose.HEALTH),
        "exporter_guard": guarded(Purpose.EXPORTER),
        # One party's own is the same to all that it calls.
        "traces_pass": calling(stores[0], Purpose.OTLP_GRPC) if stores else None,
        "prometheus_pass": calling(Service.PROMETHEUS, Purpose.UI),
    }


def _extensions(facts: Mapping[str, object]) -> Iterator[str]:
    pushes = facts["prometheus_pass"]
    yield "health_check"
    if facts["storage"]:
        yield "file_storage/queue"
    if facts["token"]:
        yield "bearertokenauth/ingest"
    if isinstance(pushes, protection.Pass) and pushes.user:
        yield "basicauth/prometheus"
    yield from (name for name in ("zpages", "pprof") if facts[name])


def _aggregated(profile: Profile) -> list[tuple[str, str]]:
    """Metrics that lose labels, each with those it keeps as the collector writes a list."""
    return [
        (metric.name, json.dumps([one.name for one in kept.attributes]))
        for metric, kept in zip(ALL, reduction.delivered(profile), strict=True)
        if kept != metric
    ]


def _facts(plan: Plan, service: Service, site: Site) -> dict[str, object]:
    profile, duty = plan.profile, topology.duty(plan.profile, service)
    return {
        "service": str(service.role),
        "traces": bool(duty.traces),
        "sampler": sampling.sampler(plan) if duty.decides else None,
        "scrape": duty.metrics and profile.metrics.delivery == "scrape",
        "push": duty.metrics and profile.metrics.delivery == "otlp",
        "aggregated": _aggregated(profile) if duty.metrics else [],
        "namespace": plan.naming.namespace,
        "strategy": plan.naming.translation_strategy,
        "expiration": expiration(plan),
        "limiter": layout.limiter(plan.container(service).memory_mib),
        "queue_size": profile.collector.queue.size,
        "fsync": quote(profile.collector.queue.fsync),
        "retry": PERSISTENT_RETRY if storage(plan, service, site) else MEMORY_RETRY,
        "batch_min": BATCH_MIN_BYTES,
        "batch_max": BATCH_MAX_BYTES,
        "storing": STORING,
        "message_mib": MESSAGE_MIB,
        "message_bytes": MESSAGE_MIB * 2**20,
        "environment_attribute": ENVIRONMENT_ATTRIBUTE.name,
        "environment_variable": ENVIRONMENT.name,
        "log_level": profile.collector.log_level,
    }
