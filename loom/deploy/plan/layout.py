"""Where everything is: containers, volumes and ports, from the profile alone."""

from dataclasses import replace
from typing import NamedTuple

from loom.deploy import programs
from loom.deploy.plan import topology
from loom.deploy.plan.model import Container, Limiter, Port, Purpose, Service
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Size

_GO_SHARE = 80
"""Percent of a container's memory that Go programs are told to stay within (GOMEMLIMIT), but for collectors:
theirs is where the limiter begins to refuse. It counts garbage too, and collects at most every ten seconds;
told this limit Go collects before that, and whatever the limiter then refuses for is alive."""
_GARBAGE = {"memory": 200, "disk": 400}
"""GOGC of a collector, by where its queue lies: collecting seldom saves a fifth of its processor time. What
lives is small, and GOMEMLIMIT bounds the rest; with the queue in memory more lives, and near that bound Go
collects without end. Samplers hold whole traces: as Go would."""
LOOPBACK = "127.0.0.1"
_LIMIT_SHARE, _SPIKE_SHARE = 80, 20
"""Percent of the collector's memory for its memory_limiter: hard limit, and room for a spike below it."""


def limiter(memory: int) -> Limiter:
    """A collector's of so many MiB: 1280 give 1024 and 256."""
    return Limiter(memory * _LIMIT_SHARE // 100, memory * _SPIKE_SHARE // 100)


def containers(profile: Profile) -> tuple[Container, ...]:
    """Every service, with its program, memory and data."""
    memory = profile.memory
    stored = profile.tracing.storage == "badger"
    traces = ("jaeger-data", "/badger") if stored else ("", "")
    found = [
        *(_collector(profile, service) for service in topology.collectors(profile)),
        _container(Service.JAEGER, programs.JAEGER, memory.jaeger, traces),
        _container(Service.PROMETHEUS, programs.PROMETHEUS, memory.prometheus, _SAMPLES),
        _container(Service.ALERTMANAGER, programs.ALERTMANAGER, memory.alertmanager, _SILENCES),
        _container(Service.GRAFANA, programs.GRAFANA, memory.grafana, _GRAFANA),
    ]
    if topology.balanced(profile):
        found.append(_container(Service.BALANCER, programs.CADDY, memory.balancer, _NONE))
    if profile.security.authentication == "basic":
        found.append(_container(Service.PROXY, programs.CADDY, memory.proxy, ("", "")))
    if profile.canary.enabled:
        found.append(_container(Service.CANARY, programs.LOOM, memory.canary, ("", "")))
    if profile.metrics.longterm.thanos:
        found += [
            _container(one, programs.THANOS, memory.thanos, _THANOS_DATA.get(one, _NONE)) for one in THANOS
        ]
    return tuple(found)


_SAMPLES = ("prometheus-data", "/prometheus")
_SILENCES = ("alertmanager-data", "/alertmanager")
_GRAFANA = ("grafana-data", "/var/lib/grafana")
_NONE = ("", "")
THANOS = (Service.THANOS_SIDECAR, Service.THANOS_STORE, Service.THANOS_COMPACTOR, Service.THANOS_QUERY)
"""In the order of their start: what is asked before who asks."""
_THANOS_DATA = {Service.THANOS_COMPACTOR: ("thanos-data", "/thanos")}
"""One volume, which sidecar and store use as well: the blocks lie on it, unless they lie elsewhere."""
_PYTHON = frozenset({Service.CANARY})


def _collector(profile: Profile, service: Service) -> Container:
    queue = f"{service.removeprefix('otel-')}-queue", "/var/lib/otelcol/queue"
    data = queue if profile.collector.queue.storage == "disk" else _NONE
    sampler = service.role is Service.SAMPLER
    memory = profile.memory.sampler if sampler else profile.collector.memory
    told, gogc = limiter(memory.mib), 0 if sampler else _GARBAGE[profile.collector.queue.storage]
    bare = _container(service, programs.OTELCOL, memory, data)
    return replace(bare, gomemlimit_mib=told.limit_mib - told.spike_mib, gogc=gogc)


def _container(service: Service, program: programs.Program, memory: Size, data: tuple[str, str]) -> Container:
    # All but ours are Go programs, Grafana's server included.
    go = 0 if service in _PYTHON else memory.mib * _GO_SHARE // 100
    return Container(service, program, f"loom-{service}", memory.mib, go, *data)


def ports(profile: Profile) -> tuple[Port, ...]:
    """Every port; in a container where the program's documents put it, natively where no two collide."""
    rows = [*_PUBLISHED, *_INNER, *(_DIAGNOSTICS if profile.collector.diagnostics else ())]
    if profile.metrics.delivery == "otlp":
        rows.remove(_EXPORTER)  # what is pushed has no page: nobody would listen there
    if profile.security.authentication == "basic":
        # The proxy takes the documented port, on the host and natively.
        rows = [row for row in rows if row not in _BEHIND_PROXY] + list(_PROXIED)
    if profile.canary.enabled:
        rows.append(_CANARY)
    if profile.metrics.longterm.thanos:
        rows += _THANOS
    documented = (
        _port(profile, row) for row in rows if not topology.moved(profile, row.service, row.purpose)
    )
    return tuple(_opened(profile, port) for port in (*documented, *topology.ports(profile)))


def _opened(profile: Profile, port: Port) -> Port:
    """As it is, or reached by other machines: where they send, if the profile lets them."""
    taking = port.published and port.purpose in topology.OTLP
    return replace(port, outside=taking and profile.ports.ingest_bind != LOOPBACK)


def _port(profile: Profile, row: "_Row") -> Port:
    native = getattr(profile.ports, row.native) if isinstance(row.native, str) else row.native
    bare = not profile.security.hardened
    published = row in _SHOWN or (row in _PUBLISHED and (bare or row.purpose not in _UNSHOWN))
    published = published or row in _DIAGNOSTICS
    return Port(row.service, row.purpose, row.container, native + profile.ports.offset, published)


class _Row(NamedTuple):
    service: Service
    purpose: Purpose
    container: int
    native: str | int
    """The key of the profile's `ports` that decides, or the port itself where there is nothing to choose."""


_EXPORTER = _Row(Service.COLLECTOR, Purpose.EXPORTER, 8889, "collector_exporter")
_PUBLISHED = (
    _Row(Service.COLLECTOR, Purpose.OTLP_GRPC, 4317, "otlp_grpc"),
    _Row(Service.COLLECTOR, Purpose.OTLP_HTTP, 4318, "otlp_http"),
    _Row(Service.COLLECTOR, Purpose.HEALTH, 13133, "collector_health"),
    _EXPORTER,
    _Row(Service.COLLECTOR, Purpose.TELEMETRY, 8888, "collector_telemetry"),
    _Row(Service.JAEGER, Purpose.UI, 16686, "jaeger_ui"),
    _Row(Service.PROMETHEUS, Purpose.UI, 9090, "prometheus"),
    _Row(Service.ALERTMANAGER, Purpose.UI, 9093, "alertmanager"),
    _Row(Service.GRAFANA, Purpose.UI, 3000, "grafana"),
)
# Between containers only. As processes of one machine they must not take the collector's ports.
_INNER = (
    _Row(Service.JAEGER, Purpose.OTLP_GRPC, 4317, 14317),
    _Row(Service.JAEGER, Purpose.OTLP_HTTP, 4318, 14318),
    _Row(Service.JAEGER, Purpose.HEALTH, 13133, 13134),
    _Row(Service.JAEGER, Purpose.TELEMETRY, 8888, 8887),
    _Row(Service.JAEGER, Purpose.QUERY_GRPC, 16685, 16685),
)
_DIAGNOSTICS = (
    _Row(Service.COLLECTOR, Purpose.PPROF, 1777, 1777),
    _Row(Service.COLLECTOR, Purpose.ZPAGES, 55679, 55679),
)
_BEHIND_PROXY = (_Row(Service.JAEGER, Purpose.UI, 16686, "jaeger_ui"),)
_PROXIED = (
    _Row(Service.PROXY, Purpose.UI, 16686, "jaeger_ui"),
    _Row(Service.JAEGER, Purpose.UI, 16686, 16687),
)
_CANARY = _Row(Service.CANARY, Purpose.EXPORTER, 9469, 9469)
_THANOS = (
    _Row(Service.THANOS_QUERY, Purpose.UI, 10904, "thanos"),
    _Row(Service.THANOS_QUERY, Purpose.STORE_API, 10903, 10903),
    _Row(Service.THANOS_SIDECAR, Purpose.UI, 10902, 10902),
    _Row(Service.THANOS_SIDECAR, Purpose.STORE_API, 10901, 10901),
    _Row(Service.THANOS_STORE, Purpose.UI, 10906, 10906),
    _Row(Service.THANOS_STORE, Purpose.STORE_API, 10905, 10905),
    _Row(Service.THANOS_COMPACTOR, Purpose.UI, 10912, 10912),
)
_UNSHOWN = frozenset({Purpose.EXPORTER, Purpose.TELEMETRY})
"""What nobody but Prometheus needs: not published by hardened containers."""
_SHOWN = (_PROXIED[0], _THANOS[0])


def chosen(port: Port) -> str | None:
    """The key of the profile's `ports` that decides a port; None when it is fixed."""
    if port.purpose in topology.OTLP and port.service.role in {Service.COLLECTOR, Service.BALANCER}:
        return str(port.purpose) if port.published else None
    rows = (
        row
        for row in (*_PROXIED, *_PUBLISHED, *_THANOS)
        if (row.service, row.purpose) == (port.service, port.purpose)
    )
    return next((row.native for row in rows if isinstance(row.native, str)), None)
