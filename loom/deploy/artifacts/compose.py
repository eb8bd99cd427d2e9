"""The compose file: the services of the user's document, with pinned images, limits and health checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from loom.contract.environment import ENVIRONMENT
from loom.deploy.artifacts import (
    alertmanager,
    balancer,
    canary,
    collector,
    healthcheck,
    jaeger,
    party,
    prometheus,
    protection,
    proxy,
    thanos,
    workload,
)
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.artifacts.template import fill
from loom.deploy.plan import topology
from loom.deploy.plan.identity import FOLDER, owner
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Container, Plan, Port, Purpose, Service, Site

NAME = "docker-compose.observability.yaml"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - where the profile lets other machines send
LABEL = "dev.loom.deploy"
"""Prefix of the labels on containers."""
CONFIGURATION = {
    Service.JAEGER: (jaeger.NAME,),
    Service.PROMETHEUS: (prometheus.NAME, "prometheus/rules/", "prometheus/http.yml"),
    Service.ALERTMANAGER: (alertmanager.NAME, "alertmanager/http.yml"),
    Service.GRAFANA: ("grafana/",),
    Service.PROXY: (proxy.NAME,),
    Service.BALANCER: (balancer.NAME,),
    Service.CANARY: (),
    **dict.fromkeys(THANOS, ()),
}
"""What each service mounts: files, and folders with a slash at the end."""
STOP_SECONDS = {
    **dict.fromkeys(topology.COLLECTORS, 30),
    Service.BALANCER: 10,
    Service.JAEGER: 30,
    Service.PROMETHEUS: 120,
    Service.ALERTMANAGER: 10,
    Service.GRAFANA: 30,
    Service.PROXY: 10,
    Service.CANARY: 10,
    **dict.fromkeys(THANOS, thanos.STOP_SECONDS),
}
"""How long each may take to end."""
_SCRATCH = {
    Service.JAEGER: ("/tmp",),  # noqa: S108 - inside the container; its image declares a nameless volume there
    Service.GRAFANA: ("/tmp",),  # noqa: S108 - inside the container
    Service.PROXY: ("/tmp",),  # noqa: S108 - inside the container
    Service.BALANCER: ("/tmp",),  # noqa: S108 - inside the container
    Service.CANARY: ("/tmp",),  # noqa: S108 - inside the container
}
"""Folders that must be writable, and that nobody misses."""
_ALWAYS = frozenset({Service.JAEGER})


@dataclass(frozen=True, slots=True)
class Unit:
    """One service of the compose file."""

    container: Container
    digest: str
    """Of everything it mounts: another digest makes `up -d` recreate the container."""
    ports: tuple[Port, ...]
    """Published ones."""
    stop_seconds: int
    networks: tuple[str, ...]
    user: str
    """`65534:65534`; empty for the image's own."""
    cpus: float
    """Limit; 0 for none."""
    scratch: tuple[str, ...]
    """Folders in memory, where the container's own files are read-only."""
    scratch_always: tuple[str, ...]
    """The same, where they are not."""
    credentials: str
    """The party whose folder of credentials is mounted; empty for none."""
    scheme: str
    """Of its pages."""
    shown: str
    """The file that its health check shows; empty where it shows nothing."""


def artifacts(plan: Plan, others: Sequence[Artifact] = ()) -> tuple[Artifact, ...]:
    """The compose file; `others` are the files its containers mount."""
    text = fill(f"compose/{NAME}.j2", **_facts(plan, others))
    return (Artifact(NAME, text, "The containers: images, ports, limits, health checks.", Check.COMPOSE),)


def digest(service: Service, others: Sequence[Artifact]) -> str:
    """sha256 over the paths and texts of everything a service mounts."""
    total = sha256()
    for artifact in sorted(others, key=lambda artifact: artifact.path):
        if any(artifact.path == part or _inside(artifact.path, part) for part in _configuration(service)):
            total.update(f"{artifact.path}\0{artifact.text}\0".encode())
    return total.hexdigest()


def _configuration(service: Service) -> tuple[str, ...]:
    if service.role in topology.COLLECTORS:
        return (collector.name(service, Site.COMPOSE),)
    return CONFIGURATION[service]


def _inside(path: str, folder: str) -> bool:
    return folder.endswith("/") and path.startswith(folder)


def _facts(plan: Plan, others: Sequence[Artifact]) -> dict[str, object]:
    profile = plan.profile
    absent = {service.name.lower(): None for service in Service if service not in plan.services}
    units = {service.name.lower(): _unit(plan, service, others) for service in plan.services}
    return {
        **absent,
        **units,
        "profile": profile.name,
        "environment": profile.environment,
        "variable": ENVIRONMENT.name,
        "bind": profile.ports.bind,
        "everywhere": EVERYWHERE,
        "label": LABEL,
        "collectors": [_before(plan, service, units) for service in topology.collectors(profile)],
        "fronts": topology.fronts(profile),
        "balancer_file": balancer.NAME,
        "entries": topology.entries(profile),
        "prometheus_flags": prometheus.flags(plan, Site.COMPOSE),
        "alertmanager_flags": (
            *alertmanager.FLAGS,
            *protection.flags(plan, Service.ALERTMANAGER, Site.COMPOSE),
        ),
        "volumes": [unit.container.volume for unit in units.values() if unit.container.volume],
        "owned": _owned(plan),
        "owner": _user(Service.PROMETHEUS),
        "loom": workload.facts(plan),
        "hardened": profile.security.hardened,
        "authenticated": profile.security.authentication != "off",
        "tls_minimum": profile.security.tls.minimum,
        "reload": protection.RELOAD,
        "grafana_url": protection.page(plan, Service.GRAFANA),
        "networks": sorted({str(edge.network) for edge in plan.edges}),
        "folder": FOLDER,
        "mounted": protection.MOUNTED,
        "thanos": [
            (units[one.name.lower()], words, thanos.mounts(plan, one))
            for one, words in thanos.commands(plan, Site.COMPOSE).items()
        ],
        "canary_arguments": canary.ARGUMENTS,
        "canary_settings": canary.settings(plan, Site.COMPOSE) if Service.CANARY in plan.services else (),
    }


def _before(
    plan: Plan, service: Service, units: Mapping[str, Unit]
) -> tuple[Unit, str, tuple[str, ...], bool]:
    """A collector, its file, whom it hands traces to, and whether it pushes metrics: they start before it."""
    duty = topology.duty(plan.profile, service)
    push = duty.metrics and plan.profile.metrics.delivery == "otlp"
    name = collector.name(service, Site.COMPOSE)
    return units[service.name.lower()], name, tuple(map(str, duty.traces)), push


def _unit(plan: Plan, service: Service, others: Sequence[Artifact]) -> Unit:
    published = tuple(port for port in plan.ports if port.service is service and port.published)
    container, scratch = plan.container(service), _SCRATCH.get(service.role, ())
    # Whoever has credentials must be the user that they belong to.
    holder = party.credentials(plan, str(service))
    return Unit(
        container,
        digest(service, others),
        published,
        STOP_SECONDS[service.role],
        party.networks(plan, str(service)),
        _user(service) if plan.profile.security.hardened or _sharing(container) or holder else "",
        plan.profile.security.hardened * _CPUS[service.role],
        scratch,
        scratch if service in _ALWAYS else (),
        holder,
        plan.scheme(service, Purpose.UI),
        healthcheck.shown(plan, service),
    )


_SHARED = ("jaeger-data", "thanos-data")
"""Volumes that belong to the user of Prometheus' image, since their own images bring no folder for them; the
collectors' queues as well."""
_CPUS = {
    **dict.fromkeys(topology.COLLECTORS, 1.0),
    Service.BALANCER: 0.5,
    Service.JAEGER: 1.0,
    Service.PROMETHEUS: 1.0,
    Service.ALERTMANAGER: 0.5,
    Service.GRAFANA: 1.0,
    Service.PROXY: 0.5,
    Service.CANARY: 0.25,
    **dict.fromkeys(THANOS, 1.0),
}
"""CPUs of each; Docker refuses more than the machine has."""


def _sharing(container: Container) -> bool:
    """Whether it writes to a volume that its own image brings no folder for."""
    return _unowned(container) or container.service in THANOS


def _unowned(container: Container) -> bool:
    queue = container.service.role in topology.COLLECTORS and container.volume
    return bool(queue) or container.volume in _SHARED


def _user(service: Service) -> str:
    return f"{owner(str(service))}:{owner(str(service))}" if service is not Service.GRAFANA else "472:0"


def _owned(plan: Plan) -> list[tuple[str, str]]:
    """Init service and volume, where Docker would give it to root; the other images bring their folder."""
    shared = [container.volume for container in plan.containers if _unowned(container)]
    return [(f"init-{volume}", volume) for volume in shared]
