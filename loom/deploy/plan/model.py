"""The plan: every fact that artifacts, engines and proof need, derived once from the profile. Frozen data."""

from dataclasses import dataclass
from enum import StrEnum

from loom.contract.naming import Naming
from loom.deploy.plan.replica import Replicable
from loom.deploy.profile.model import Profile
from loom.deploy.programs import Program


class Site(StrEnum):
    """Where the services run: what decides their addresses and paths, and nothing else."""

    COMPOSE = "compose"
    """Each service in its own container, found by its service name."""
    NATIVE = "native"
    """All services as processes of one machine, on loopback."""


class Service(Replicable):
    """The services, by their compose name."""

    COLLECTOR = "otel-collector"
    METRICS = "otel-metrics"
    """The collector for metrics of the topology `split`; the other one then takes traces only."""
    SAMPLER = "otel-sampler"
    """The collectors of the topology `tiered` that decide which traces are kept."""
    BALANCER = "balancer"
    """Caddy, where several replicas of the collector share one address."""
    JAEGER = "jaeger"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    PROXY = "proxy"
    """Caddy, in front of what cannot authenticate by itself; there when authentication is on."""
    CANARY = "canary"
    """Sends and looks up telemetry all the time; there when it is enabled."""
    THANOS_SIDECAR = "thanos-sidecar"
    THANOS_STORE = "thanos-store"
    THANOS_COMPACTOR = "thanos-compactor"
    THANOS_QUERY = "thanos-query"
    """Thanos' four, there when metrics are kept with it."""


class Purpose(StrEnum):
    """What a port is for."""

    OTLP_GRPC = "otlp_grpc"
    OTLP_HTTP = "otlp_http"
    HEALTH = "health"
    EXPORTER = "exporter"  # the collector's Prometheus exporter: Loom's metrics
    TELEMETRY = "telemetry"  # a program's own metrics
    UI = "ui"  # the program's main HTTP port: user interface and API
    QUERY_GRPC = "query_grpc"
    STORE_API = "store_api"
    ZPAGES = "zpages"
    PPROF = "pprof"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Port:
    """One port of one service."""

    service: Service
    purpose: Purpose
    container: int
    """Where it listens inside its container."""
    native: int
    """Where it listens on loopback when run as a process; unique over all services."""
    published: bool
    """Whether compose publishes it; then on the host at `native`, bound to the profile's address."""
    outside: bool = False
    """Whether other machines reach it: on every interface of the host, as a process too."""


@dataclass(frozen=True, slots=True)
class Container:
    """One service as it runs."""

    service: Service
    program: Program
    name: str
    """Container name: `loom-otel-collector`."""
    memory_mib: int
    """Memory limit."""
    gomemlimit_mib: int
    """GOMEMLIMIT for programs written in Go: 80 % of the limit, a collector's 60 %; 0 for the others."""
    volume: str
    """Name of the volume of its data, empty when it keeps none."""
    data: str
    """Where the data lies inside the container, empty when it keeps none."""
    gogc: int = 0
    """GOGC, in percent; 0 for Go's own, which is 100."""


@dataclass(frozen=True, slots=True)
class Limiter:
    """The collector's memory_limiter, in MiB; 80 % and 20 % of the container's memory."""

    limit_mib: int
    spike_mib: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the profile will cost. Estimates, with the assumptions in `loom.deploy.plan.estimate`."""

    series: int
    """Loom series in Prometheus."""
    samples_per_second: float
    spans_per_second: float
    """After head sampling."""
    prometheus_bytes: int
    """Blocks over the whole retention time."""
    jaeger_bytes: int
    """Spans over the whole retention time."""
    queue_bytes: int
    """A full sending queue of the collector."""
    memory_mib: int
    """All limits together."""


class Method(StrEnum):
    """How the one who calls proves who it is."""

    NONE = "none"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - the name of a method
    PASSWORD = "password"  # noqa: S105 - the name of a method
    LOGIN = "login"  # a person, to the program's own page


class Network(StrEnum):
    """Networks of the containers."""

    COMMON = "observability"
    """The only one, where containers are not hardened."""
    INGEST = "ingest"
    """From Loom to the collector."""
    BACKEND = "backend"
    """Between the services; internal: nothing of it can be published, and nobody on it reaches outside."""
    EDGE = "edge"
    """For what is published on the host, and what must call outside."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Leave for an edge to be less than encrypted and authenticated."""

    reason: str
    until: str
    """Its last day: `2027-05-31`."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Who calls whom, about what, and how that is protected."""

    source: str
    """A service, or one who only calls: `loom`, `operator`, `probe`."""
    service: Service
    purpose: Purpose
    what: str
    """What travels: `spans and metrics`."""
    encrypted: bool
    method: Method
    network: Network
    waiver: Waiver | None = None

    @property
    def name(self) -> str:
        """`prometheus -> jaeger:telemetry`."""
        return f"{self.source} -> {self.service}:{self.purpose}"

    @property
    def protected(self) -> bool:
        """Whether it is encrypted, and the caller proves who it is."""
        return self.encrypted and self.method is not Method.NONE


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything derived from one profile."""

    profile: Profile
    naming: Naming
    containers: tuple[Container, ...]
    ports: tuple[Port, ...]
    limiter: Limiter
    estimate: Estimate
    edges: tuple[Edge, ...]

    @property
    def services(self) -> tuple[Service, ...]:
        """Every service that this profile has."""
        return tuple(container.service for container in self.containers)

    @property
    def traces(self) -> Service:
        """Who answers questions about traces from this machine: the proxy, where there is one."""
        return Service.PROXY if Service.PROXY in self.services else Service.JAEGER

    def encrypted(self, service: Service, purpose: Purpose = Purpose.UI) -> bool:
        """Whether a port speaks TLS."""
        return any(e.encrypted for e in self.edges if (e.service, e.purpose) == (service, purpose))

    def scheme(self, service: Service, purpose: Purpose) -> str:
        """`https` or `http`."""
        return "https" if self.encrypted(service, purpose) else "http"

    def container(self, service: Service) -> Container:
        """The container of a service."""
        return next(container for container in self.containers if container.service is service)

    def port(self, service: Service, purpose: Purpose) -> Port:
        """The port of a service for a purpose; StopIteration never: KeyError when there is none."""
        for port in self.ports:
            if (port.service, port.purpose) == (service, purpose):
                return port
        message = f"{service} has no port for {purpose}"
        raise KeyError(message)

    def has(self, service: Service, purpose: Purpose) -> bool:
        """Whether the service has such a port in this profile."""
        return any((port.service, port.purpose) == (service, purpose) for port in self.ports)

    def address(self, service: Service, purpose: Purpose, site: Site) -> str:
        """`host:port` by which the other services reach it."""
        port = self.port(service, purpose)
        return f"{service}:{port.container}" if site is Site.COMPOSE else f"127.0.0.1:{port.native}"

    def url(self, service: Service, purpose: Purpose, site: Site) -> str:
        """`https://host:port` by which the other services reach it."""
        return f"{self.scheme(service, purpose)}://{self.address(service, purpose, site)}"

    def listen(self, service: Service, purpose: Purpose, site: Site) -> str:
        """`host:port` that the service binds: whatever its container has, else loopback unless told."""
        port = self.port(service, purpose)
        host = "0.0.0.0" if site is Site.COMPOSE or port.outside else "127.0.0.1"  # noqa: S104 - as said
        return f"{host}:{port.container if site is Site.COMPOSE else port.native}"

    def published(self, service: Service, purpose: Purpose) -> str:
        """`host:port` by which it is reached from this machine."""
        return f"127.0.0.1:{self.port(service, purpose).native}"

    def reached(self, service: Service, purpose: Purpose) -> str:
        """`https://host:port` by which it is reached from this machine."""
        return f"{self.scheme(service, purpose)}://{self.published(service, purpose)}"
