"""What Thanos' four programs are told: all of it on their command line, and no secret among it.

The sidecar hands Prometheus' blocks to the object storage as they are closed, the store reads them there, and
query asks both. One compactor, never two, joins them, thins them out and at last deletes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loom.deploy.artifacts import protection
from loom.deploy.plan.identity import WEB
from loom.deploy.plan.layout import THANOS
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.profile.longterm import Thanos

DATA = "%(ENV_LOOM_DATA)s"
"""Folder of all data, as supervisord writes it in."""
OBJECTS = "/objects"
"""Where a container sees the machine's folder of blocks."""
BLOCK_FLAGS = ("--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h")
"""Prometheus must not join blocks that the compactor is to join."""
STOP_SECONDS = 30
_CACHE_SHARE = 4
"""The store's cache of indexes, and its pool of chunks: a quarter of its memory each."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume, or a folder of the machine, that a container writes to."""

    type: str
    """`volume` or `bind`."""
    source: str
    target: str


_COMMANDS = {
    Service.THANOS_SIDECAR: "sidecar",
    Service.THANOS_STORE: "store",
    Service.THANOS_COMPACTOR: "compact",
    Service.THANOS_QUERY: "query",
}


def flags(plan: Plan) -> tuple[str, ...]:
    """What Prometheus is told for it; nothing without Thanos."""
    return BLOCK_FLAGS if plan.profile.metrics.longterm.thanos else ()


def commands(plan: Plan, site: Site) -> dict[Service, tuple[str, ...]]:
    """Service → the words after the program's name; empty without Thanos."""
    thanos = plan.profile.metrics.longterm.thanos
    if thanos is None:
        return {}
    own = {
        Service.THANOS_SIDECAR: _sidecar(plan, thanos, site),
        Service.THANOS_STORE: _store(plan, thanos, site),
        Service.THANOS_COMPACTOR: _compactor(thanos, site),
        Service.THANOS_QUERY: _query(plan, site),
    }
    return {
        one: (_COMMANDS[one], *_web(plan, one, site), *_grpc(plan, one, site), *own[one]) for one in THANOS
    }


def mounts(plan: Plan, service: Service) -> tuple[Mount, ...]:
    """What a container writes to, besides its credentials."""
    thanos = plan.profile.metrics.longterm.thanos
    if thanos is None or service is Service.THANOS_QUERY:
        return ()
    own, samples = plan.container(Service.THANOS_COMPACTOR), plan.container(Service.PROMETHEUS)
    found = [Mount("volume", own.volume, own.data)]
    if thanos.objstore.directory:
        found.append(Mount("bind", thanos.objstore.directory, OBJECTS))
    if service is Service.THANOS_SIDECAR:
        found.append(Mount("volume", samples.volume, samples.data))
    return tuple(found)


def objects(thanos: Thanos, site: Site) -> str:
    """Folder of the blocks."""
    if thanos.objstore.directory:
        return OBJECTS if site is Site.COMPOSE else thanos.objstore.directory
    return f"{_data(Service.THANOS_COMPACTOR, site)}/objects"


def _sidecar(plan: Plan, thanos: Thanos, site: Site) -> tuple[str, ...]:
    service = Service.THANOS_SIDECAR
    container = plan.container(Service.PROMETHEUS)
    samples = container.data if site is Site.COMPOSE else f"{DATA}/{Service.PROMETHEUS}"
    shown = protection.credentials(plan, str(service), Service.PROMETHEUS, Purpose.UI, site)
    client = (
        {
            "tls_config": {"ca_file": shown.ca},
            "basic_auth": {"username": shown.user, "password_file": shown.password} if shown.user else {},
        }
        if shown
        else {}
    )
    return (
        f"--prometheus.url={plan.url(Service.PROMETHEUS, Purpose.UI, site)}",
        *([f"--prometheus.http-client={_flow(client)}"] if client else []),
        f"--tsdb.path={samples}",
        _bucket(thanos, service, site),
    )


def _store(plan: Plan, thanos: Thanos, site: Site) -> tuple[str, ...]:
    share = plan.container(Service.THANOS_STORE).memory_mib // _CACHE_SHARE
    return (
        f"--data-dir={_data(Service.THANOS_STORE, site)}/cache",
        f"--index-cache-size={share}MB",
        f"--chunk-pool-size={share}MB",
        "--disable-admin-operations",
        _bucket(thanos, Service.THANOS_STORE, site),
    )


def _compactor(thanos: Thanos, site: Site) -> tuple[str, ...]:
    kept = thanos.retention
    return (
        "--wait",
        f"--data-dir={_data(Service.THANOS_COMPACTOR, site)}/work",
        f"--retention.resolution-raw={kept.raw}",
        f"--retention.resolution-5m={kept.five_minutes}",
        f"--retention.resolution-1h={kept.hour}",
        "--disable-admin-operations",
        _bucket(thanos, Service.THANOS_COMPACTOR, site),
    )


def _query(plan: Plan, site: Site) -> tuple[str, ...]:
    asked = (Service.THANOS_SIDECAR, Service.THANOS_STORE)
    addresses = [{"address": plan.address(one, Purpose.STORE_API, site)} for one in asked]
    shown = protection.credentials(plan, str(Service.THANOS_QUERY), asked[0], Purpose.STORE_API, site)
    tls = (
        {
            "enabled": "true",
            "ca_file": shown.ca,
            "cert_file": shown.cert,
            "key_file": shown.key,
            "min_version": f"'{shown.minimum}'",
        }
        if shown
        else {"enabled": "false"}
    )
    endpoints = {"default_client_config": {"tls_config": tls}, "endpoints": addresses}
    return (f"--endpoint.sd-config={_flow(endpoints)}", "--query.auto-downsampling")


def _web(plan: Plan, service: Service, site: Site) -> tuple[str, ...]:
    listen = f"--http-address={plan.listen(service, Purpose.UI, site)}"
    if not plan.encrypted(service):
        return (listen,)
    return (listen, f"--http.config={protection.folder(str(service), site)}/{WEB}")


def _grpc(plan: Plan, service: Service, site: Site) -> tuple[str, ...]:
    if not plan.has(service, Purpose.STORE_API):
        return ()
    listen = f"--grpc-address={plan.listen(service, Purpose.STORE_API, site)}"
    guard = protection.guard(plan, service, Purpose.STORE_API, site)
    if guard is None:
        return (listen,)
    return (
        listen,
        f"--grpc-server-tls-cert={guard.cert}",
        f"--grpc-server-tls-key={guard.key}",
        f"--grpc-server-tls-client-ca={guard.ca}",
        f"--grpc-server-tls-min-version={guard.minimum}",
    )


def _bucket(thanos: Thanos, service: Service, site: Site) -> str:
    if thanos.objstore.config_secret:
        at = protection.folder(str(service), site)
        return f"--objstore.config-file={at}/{thanos.objstore.config_secret}"
    place = {"type": "FILESYSTEM", "config": {"directory": f"'{objects(thanos, site)}'"}}
    return f"--objstore.config={_flow(place)}"


def _data(service: Service, site: Site) -> str:
    """Folder of a service's own; in containers all lie on one volume."""
    if site is Site.NATIVE:
        return f"{DATA}/{service}"
    return f"/thanos/{_COMMANDS[service]}" if service is not Service.THANOS_COMPACTOR else "/thanos"


def _flow(value: object) -> str:
    """Data as YAML on one line, without the double quotes that command lines take for their own."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items() if one) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)
