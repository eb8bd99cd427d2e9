"""The collectors of a profile: how many, what each does, where each listens. From the profile alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from loom.deploy.plan.model import Port, Purpose, Service
from loom.deploy.profile.model import Profile

COLLECTORS = frozenset({Service.COLLECTOR, Service.METRICS, Service.SAMPLER})
"""Roles that the collector's program has."""
OTLP = (Purpose.OTLP_GRPC, Purpose.OTLP_HTTP)


@dataclass(frozen=True, slots=True)
class Duty:
    """What one collector does with what it is sent."""

    traces: tuple[Service, ...]
    """Who is handed the traces: Jaeger, or all samplers, each by its share; nobody when empty."""
    metrics: bool
    """Whether it hands metrics to Prometheus."""
    decides: bool
    """Whether it decides which traces are kept."""


def collectors(profile: Profile) -> tuple[Service, ...]:
    """Every collector: those that take what Loom sends first."""
    shape = profile.collector
    front = Service.COLLECTOR.replicas(shape.replicas)
    if shape.topology == "split":
        return (*front, Service.METRICS)
    return (*front, *samplers(profile))


def samplers(profile: Profile) -> tuple[Service, ...]:
    """The collectors that do nothing but sample; none but with `tiered`."""
    shape = profile.collector
    return Service.SAMPLER.replicas(shape.samplers) if shape.topology == "tiered" else ()


def duty(profile: Profile, service: Service) -> Duty:
    """What a collector does."""
    shape, tail = profile.collector.topology, profile.tracing.tail is not None
    if service.role is Service.METRICS:
        return Duty((), metrics=True, decides=False)
    if service.role is Service.SAMPLER:
        return Duty((Service.JAEGER,), metrics=False, decides=tail)
    if shape == "tiered":
        return Duty(samplers(profile), metrics=True, decides=False)
    return Duty((Service.JAEGER,), metrics=shape != "split", decides=tail)


def balanced(profile: Profile) -> bool:
    """Whether several collectors share the address that Loom sends to."""
    return profile.collector.replicas > 1


def entries(profile: Profile) -> tuple[Service, ...]:
    """Who takes OTLP from Loom: of `split` two, traces first."""
    if profile.collector.topology == "split":
        return (Service.COLLECTOR, Service.METRICS)
    return (Service.BALANCER,) if balanced(profile) else (Service.COLLECTOR,)


def fronts(profile: Profile) -> tuple[Service, ...]:
    """The collectors that take what Loom sends, or what the balancer hands on."""
    return tuple(one for one in collectors(profile) if one.role is not Service.SAMPLER)


def taken(profile: Profile, entry: Service) -> str:
    """What travels to an entry: `spans and metrics`."""
    if profile.collector.topology != "split":
        return "spans and metrics"
    return "Loom's metrics" if entry is Service.METRICS else "spans"


_FIRST = {Service.COLLECTOR: 4400, Service.METRICS: 4600, Service.SAMPLER: 4800}
_STEP = 20
"""Native ports of one replica lie together: the third sampler's begin at 4860."""
_INSIDE = {
    Purpose.OTLP_GRPC: 4317,
    Purpose.OTLP_HTTP: 4318,
    Purpose.HEALTH: 13133,
    Purpose.TELEMETRY: 8888,
    Purpose.PPROF: 1777,
    Purpose.ZPAGES: 55679,
}
_DIAGNOSTICS = frozenset({Purpose.PPROF, Purpose.ZPAGES})


def ports(profile: Profile) -> Iterator[Port]:
    """The ports of every collector but the first, and of what stands before several."""
    for service in collectors(profile):
        for place, (purpose, inside) in enumerate(_INSIDE.items()):
            if service is Service.COLLECTOR and not (balanced(profile) and purpose in OTLP):
                continue
            if not _listens(profile, service, purpose):
                continue
            native = _FIRST[service.role] + _STEP * service.replica + place
            shown = _published(profile, service, purpose)
            yield Port(service, purpose, inside, native + profile.ports.offset, shown)
    if balanced(profile):
        for purpose in OTLP:
            native = getattr(profile.ports, purpose) + profile.ports.offset
            yield Port(Service.BALANCER, purpose, _INSIDE[purpose], native, published=True)


def _listens(profile: Profile, service: Service, purpose: Purpose) -> bool:
    if service.role is Service.SAMPLER and purpose is Purpose.OTLP_HTTP:
        return False  # it is called by collectors only
    return purpose not in _DIAGNOSTICS or profile.collector.diagnostics


def moved(profile: Profile, service: Service, purpose: Purpose) -> bool:
    """Whether the balancer has taken this port of the first collector."""
    return balanced(profile) and service is Service.COLLECTOR and purpose in OTLP


def _published(profile: Profile, service: Service, purpose: Purpose) -> bool:
    if purpose in OTLP:
        return service in entries(profile)
    return purpose is not Purpose.TELEMETRY or not profile.security.hardened
