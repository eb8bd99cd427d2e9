"""The edge graph: who calls whom, about what, and how that is protected; the one place that decides it.

Networks, certificates, settings of clients and servers, authentication and the tests of them follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from loom.deploy.plan import topology
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Edge, Method, Network, Port, Purpose, Service, Waiver
from loom.deploy.profile.model import Profile

LOOM, OPERATOR, PROBE = "loom", "operator", "probe"
"""Parties that only call: the instrumented programs, people and `loom-deploy` itself, the compose probe."""


@dataclass(frozen=True, slots=True)
class _Flow:
    """One edge as it is meant to be when it is protected."""

    source: str
    service: Service
    purpose: Purpose
    what: str
    method: Method
    network: Network = Network.BACKEND


_TRACES, _METRICS, _OWN = "spans", "Loom's metrics", "its own metrics"


def edges(profile: Profile, ports: tuple[Port, ...]) -> tuple[Edge, ...]:
    """Every edge between parties that this profile has, in the order in which telemetry travels."""
    there = {(port.service, port.purpose) for port in ports}
    return tuple(
        _edge(profile, flow, _waiver(profile, flow))
        for flow in _flows(profile, ports)
        if (flow.service, flow.purpose) in there
    )


def _waiver(profile: Profile, flow: _Flow) -> Waiver | None:
    """Its own, or that of the first replica: what cannot be protected there cannot be in the others."""
    given = {waiver.edge: Waiver(waiver.reason, waiver.until) for waiver in profile.security.waivers}
    own = name(flow.source, flow.service, flow.purpose)
    return given.get(own) or given.get(name(flow.source, flow.service.role, flow.purpose))


def name(source: str, service: Service, purpose: Purpose) -> str:
    """`prometheus -> jaeger:telemetry`."""
    return f"{source} -> {service}:{purpose}"


def _edge(profile: Profile, flow: _Flow, waiver: Waiver | None) -> Edge:
    security = profile.security
    encrypted = security.tls.mode != "off" and flow.purpose not in _PLAIN
    method = flow.method
    if method is Method.CERTIFICATE and not encrypted:
        method = Method.NONE
    if method is Method.PASSWORD and security.authentication == "off":
        method = Method.NONE
    network = flow.network if security.hardened else Network.COMMON
    return Edge(flow.source, flow.service, flow.purpose, flow.what, encrypted, method, network, waiver)


_PLAIN = frozenset({Purpose.TELEMETRY, Purpose.ZPAGES, Purpose.PPROF})
"""What collector and Jaeger cannot encrypt: the reader of their own metrics, and the diagnostics."""


def _flows(profile: Profile, ports: tuple[Port, ...]) -> Iterator[_Flow]:
    yield from _ingest(profile)
    yield from _stores(profile)
    yield from _scrapes(profile)
    yield from _readers(profile)
    yield from _canary(profile)
    yield from _longterm(profile)
    yield from _operator(ports)


def _ingest(profile: Profile) -> Iterator[_Flow]:
    token = profile.security.ingestion == "token" and profile.security.tls.mode != "off"
    method = Method.TOKEN if token else Method.CERTIFICATE
    for source in (LOOM, *([str(Service.CANARY)] if profile.canary.enabled else [])):
        for entry, purpose in product(topology.entries(profile), topology.OTLP):
            what = topology.taken(profile, entry)
            yield _Flow(source, entry, purpose, what, method, Network.INGEST)
    if topology.balanced(profile):
        # What the caller shows is handed on with what it sends: each collector looks at a token itself.
        for replica, purpose in product(topology.fronts(profile), topology.OTLP):
            what = topology.taken(profile, replica)
            yield _Flow(str(Service.BALANCER), replica, purpose, what, method)


def _stores(profile: Profile) -> Iterator[_Flow]:
    for collector in topology.collectors(profile):
        duty = topology.duty(profile, collector)
        for store in duty.traces:
            yield _Flow(str(collector), store, Purpose.OTLP_GRPC, _TRACES, Method.CERTIFICATE)
        if duty.metrics and profile.metrics.delivery == "otlp":
            yield _Flow(str(collector), Service.PROMETHEUS, Purpose.UI, _METRICS, Method.PASSWORD)


def _scrapes(profile: Profile) -> Iterator[_Flow]:
    source = str(Service.PROMETHEUS)
    if profile.metrics.delivery == "scrape":
        yield _Flow(source, Service.COLLECTOR, Purpose.EXPORTER, _METRICS, Method.CERTIFICATE)
    for collector in topology.collectors(profile):
        yield _Flow(source, collector, Purpose.TELEMETRY, _OWN, Method.NONE)
    yield _Flow(source, Service.JAEGER, Purpose.TELEMETRY, _OWN, Method.NONE)
    yield _Flow(source, Service.PROMETHEUS, Purpose.UI, _OWN, Method.PASSWORD)
    yield _Flow(source, Service.ALERTMANAGER, Purpose.UI, "alerts, and its own metrics", Method.PASSWORD)
    yield _Flow(source, Service.CANARY, Purpose.EXPORTER, "how old the newest arrival is", Method.CERTIFICATE)


def _readers(profile: Profile) -> Iterator[_Flow]:
    grafana, proxy = str(Service.GRAFANA), str(Service.PROXY)
    metrics = Service.THANOS_QUERY if profile.metrics.longterm.thanos else Service.PROMETHEUS
    yield _Flow(grafana, metrics, Purpose.UI, "queries", Method.PASSWORD)
    yield _Flow(grafana, Service.JAEGER, Purpose.UI, "queries", Method.CERTIFICATE)
    yield _Flow(grafana, Service.ALERTMANAGER, Purpose.UI, "alerts and silences", Method.PASSWORD)
    if profile.security.authentication == "basic":
        yield _Flow(proxy, Service.JAEGER, Purpose.UI, "pages and queries", Method.CERTIFICATE)
    yield _Flow(str(Service.ALERTMANAGER), Service.ALERTMANAGER, Purpose.UI, "health", Method.PASSWORD)
    for collector in topology.collectors(profile):
        yield _Flow(PROBE, collector, Purpose.HEALTH, "health", Method.CERTIFICATE)
    yield _Flow(PROBE, Service.JAEGER, Purpose.HEALTH, "health", Method.CERTIFICATE)


def _canary(profile: Profile) -> Iterator[_Flow]:
    if profile.canary.enabled:
        source = str(Service.CANARY)
        yield _Flow(source, Service.PROMETHEUS, Purpose.UI, "its own points, looked up", Method.PASSWORD)
        yield _Flow(source, Service.JAEGER, Purpose.UI, "its own spans, looked up", Method.CERTIFICATE)


def _longterm(profile: Profile) -> Iterator[_Flow]:
    for caller in profile.metrics.federation.callers:
        what = "recorded series, at /federate"
        yield _Flow(caller, Service.PROMETHEUS, Purpose.UI, what, Method.PASSWORD, Network.EDGE)
    if not profile.metrics.longterm.thanos:
        return
    sidecar, query, blocks = str(Service.THANOS_SIDECAR), str(Service.THANOS_QUERY), "blocks and new samples"
    yield _Flow(sidecar, Service.PROMETHEUS, Purpose.UI, "new samples", Method.PASSWORD)
    for asked in (Service.THANOS_SIDECAR, Service.THANOS_STORE):
        yield _Flow(query, asked, Purpose.STORE_API, blocks, Method.CERTIFICATE)
    for one in THANOS:
        yield _Flow(str(Service.PROMETHEUS), one, Purpose.UI, _OWN, Method.PASSWORD)
    yield _Flow(
        OPERATOR, Service.THANOS_QUERY, Purpose.STORE_API, "queries of another query", Method.CERTIFICATE
    )
    # As processes of this machine they are asked whether they are well.
    for one in THANOS[:-1]:
        yield _Flow(OPERATOR, one, Purpose.UI, "health", Method.PASSWORD)


_LOGIN = frozenset({Service.GRAFANA})
_WITH_PASSWORD = frozenset({Service.PROMETHEUS, Service.ALERTMANAGER, Service.PROXY, Service.THANOS_QUERY})


def _operator(ports: tuple[Port, ...]) -> Iterator[_Flow]:
    """Whoever works on this machine reaches what is published; OTLP is there for Loom."""
    for port in ports:
        if port.published and port.purpose not in {Purpose.OTLP_GRPC, Purpose.OTLP_HTTP}:
            method = (
                Method.LOGIN
                if port.service in _LOGIN
                else Method.PASSWORD
                if port.service in _WITH_PASSWORD
                else Method.CERTIFICATE
            )
            yield _Flow(OPERATOR, port.service, port.purpose, "pages and queries", method, Network.EDGE)
