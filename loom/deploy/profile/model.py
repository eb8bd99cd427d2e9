"""The profile: one environment's intent, as the user writes it.

Strict and frozen; every key but `name` has a default.

Units are in the values (`30d`, `1280MiB`), never in the keys.
"""

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, StringConstraints

from loom.contract.naming import Style
from loom.deploy.profile import forms
from loom.deploy.profile.aggregation import Aggregation
from loom.deploy.profile.canary import Canary
from loom.deploy.profile.longterm import Federation, Longterm, RemoteWrite
from loom.deploy.profile.loom import Loom
from loom.deploy.profile.objectives import Slo
from loom.deploy.profile.quantity import Duration, Size
from loom.deploy.profile.queue import Queue
from loom.deploy.profile.routing import Routing
from loom.deploy.profile.sampler import Sampler
from loom.deploy.profile.sampling import Tail
from loom.deploy.profile.section import Name, Namespace, Port, Section
from loom.deploy.profile.security import Security
from loom.deploy.profile.topology import Topology
from loom.deploy.profile.tree import Node, Origin, Path, Place


class Tracing(Section):
    """How many traces are kept, and how long."""

    sampler: Sampler = Sampler.parse("always_on")
    """Head sampling in the runtime: `always_on`, `always_off` or `traceidratio=R`."""
    tail: Tail | None = None
    """Tail sampling in the collector, instead of head sampling; null for none."""
    storage: Literal["memory", "badger"] = "badger"
    """Where Jaeger keeps traces: in memory (lost at a restart) or on disk."""
    retention: Duration = Duration.parse("72h")
    """How long Jaeger keeps a trace on disk."""
    max_traces: Annotated[int, Field(ge=100, le=10_000_000)] = 50_000
    """Traces kept when `storage` is `memory`."""


class Retention(Section):
    """How long, and how much, Prometheus keeps: whichever is reached first."""

    time: Duration = Duration.parse("15d")
    """Age of the oldest sample."""
    size: Size = Size.parse("10GB")
    """Size of all blocks together."""


class Metrics(Section):
    """How metrics travel and what they are called."""

    naming: Style = Field(default=Style.DOCUMENTED, strict=False)
    """`documented`: the names of the documentation. `prometheus`: with unit and `_total` suffixes."""
    namespace: Namespace = ""
    """Put in front of every Loom series: `loom` makes `loom_loom_…`."""
    delivery: Literal["scrape", "otlp"] = "scrape"
    """`scrape`: Prometheus scrapes the collector. `otlp`: the collector pushes to Prometheus."""
    export_interval: Duration = Duration.parse("10s")
    """How often the runtime exports."""
    scrape_interval: Duration = Duration.parse("15s")
    """How often Prometheus scrapes, and evaluates rules."""
    retention: Retention = Retention()
    """How long Prometheus keeps samples."""
    remote_write: tuple[RemoteWrite, ...] = Field(default=(), strict=False)
    """Stores elsewhere that every sample is sent to."""
    federation: Federation = Federation()
    """Recorded series from other Prometheus servers, or to them."""
    longterm: Longterm = Longterm()
    """What keeps metrics for longer than Prometheus does."""


class Collector(Topology):
    """The OpenTelemetry Collector."""

    memory: Size = Size.parse("512MiB")
    """Memory of its container, of each but the samplers; limiter and GOMEMLIMIT are derived from it."""
    queue: Queue = Queue()
    """What it holds back when Jaeger or Prometheus is away."""
    diagnostics: bool = False
    """zpages and pprof; refused in the environment `production`."""
    log_level: Literal["debug", "info", "warn", "error"] = "info"
    """Its own log."""
    aggregation: Aggregation = Aggregation()
    """Labels that are added up over before metrics leave it."""


class Memory(Section):
    """Memory limits of the other containers."""

    prometheus: Size = Size.parse("1GiB")
    """Limit of Prometheus; grows with the number of series."""
    alertmanager: Size = Size.parse("128MiB")
    """Limit of Alertmanager."""
    jaeger: Size = Size.parse("1GiB")
    """Limit of Jaeger; with `storage: memory` the traces lie in it."""
    grafana: Size = Size.parse("768MiB")
    """Limit of Grafana; idle it takes about 330 MiB."""
    proxy: Size = Size.parse("128MiB")
    """Limit of the proxy, there when authentication is on."""
    canary: Size = Size.parse("128MiB")
    """Limit of the canary."""
    thanos: Size = Size.parse("512MiB")
    """Limit of each of Thanos' four programs, there when metrics are kept with it."""
    sampler: Size = Size.parse("1GiB")
    """Limit of each sampler of the topology `tiered`: the traces it has not decided lie in it."""
    balancer: Size = Size.parse("128MiB")
    """Limit of the balancer, there with several replicas of the collector."""


class Volumes(Section):
    """Sizes of the disks the data lies on: what retention is checked against."""

    prometheus: Size = Size.parse("20GB")
    """Disk of Prometheus: `metrics.retention.size` and room to work."""
    jaeger: Size = Size.parse("20GB")
    """Disk of Jaeger, used when `tracing.storage` is `badger`."""
    collector: Size = Size.parse("2GB")
    """Used when the collector's queue is on disk."""
    thanos: Size = Size.parse("100GB")
    """Used when Thanos keeps blocks on a volume or in a folder here."""


class Ports(Section):
    """Ports on the host. Each must be free; `offset` is added to every one of them."""

    bind: Literal["127.0.0.1", "0.0.0.0"] = "127.0.0.1"  # noqa: S104 - offered, refused in production by the plan
    """Address the ports are published on."""
    ingest_bind: Literal["127.0.0.1", "0.0.0.0"] = "127.0.0.1"  # noqa: S104 - offered, with TLS and names only
    """Address of the OTLP ports, also without containers: `0.0.0.0` lets other machines send. Over TLS they
    need a name of this one, in `security.tls.hosts`; production refuses to take plain text from them."""
    offset: Annotated[int, Field(ge=0, le=50_000)] = 0
    """Added to every port: a second deployment beside the first."""
    otlp_grpc: Port = 4317
    """OTLP over gRPC: where Loom sends."""
    otlp_http: Port = 4318
    """OTLP over HTTP."""
    collector_health: Port = 13133
    """The collector's health check."""
    collector_exporter: Port = 8889
    """The collector's Prometheus exporter: Loom's metrics."""
    collector_telemetry: Port = 8888
    """The collector's own metrics."""
    jaeger_ui: Port = 16686
    """Jaeger's user interface and API."""
    prometheus: Port = 9090
    """Prometheus' user interface and API."""
    alertmanager: Port = 9093
    """Alertmanager's user interface and API."""
    grafana: Port = 3000
    """Grafana."""
    thanos: Port = 10904
    """Thanos Query's user interface and API, there when metrics are kept with it."""


class Alerting(Routing):
    """What is alerted on, and who hears of it."""

    slo: Slo = Slo()
    """Service level objectives."""
    runbook_base: Annotated[str, StringConstraints(pattern=forms.URL)] = (
        "https://github.com/loom-os/loom-deploy/blob/main/docs/runbooks"
    )
    """Where runbooks live; an alert links to `<base>/<AlertName>.md`."""


class Workload(Section):
    """What the plan sizes for: one environment's expected load."""

    processes: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Loom processes that report."""
    events_per_second: Annotated[float, Field(gt=0, le=10_000_000)] = 10.0
    """Events published, over all processes."""
    topics: Annotated[int, Field(ge=1, le=200)] = 20
    """Topic patterns in use; the contract's budget is the limit."""
    capabilities: Annotated[int, Field(ge=1, le=200)] = 20
    """Capabilities in use."""
    tools: Annotated[int, Field(ge=0, le=200)] = 20
    """Tools in use, those of MCP servers included."""
    servers: Annotated[int, Field(ge=0, le=50)] = 5
    """MCP servers."""
    agent_types: Annotated[int, Field(ge=1, le=50)] = 5
    """Types of agent, not agents."""


class Profile(Section):
    """One environment's deployment."""

    name: Name
    """Name of the profile; the same as its file's."""
    description: Annotated[str, StringConstraints(pattern=forms.SENTENCE)] = ""
    """One sentence: the intent."""
    environment: Name = "development"
    """DEPLOYMENT_ENV, in telemetry deployment.environment.name; `production` is held to more."""
    loom: Loom = Loom()
    """The instrumented runtime."""
    tracing: Tracing = Tracing()
    """How many traces are kept, and how long."""
    metrics: Metrics = Metrics()
    """How metrics travel, what they are called, how long they are kept."""
    collector: Collector = Collector()
    """The OpenTelemetry Collector."""
    memory: Memory = Memory()
    """Memory limits of the other containers."""
    volumes: Volumes = Volumes()
    """Sizes of the disks."""
    ports: Ports = Ports()
    """Ports on the host."""
    alerting: Alerting = Alerting()
    """What is alerted on, and who hears of it."""
    security: Security = Security()
    """Transport security, authentication, hardening."""
    canary: Canary = Canary()
    """A probe of the whole way that telemetry takes."""
    workload: Workload = Workload()
    """The load that the plan sizes for."""
    _origin: Origin = PrivateAttr(default=Origin())

    def originate(self, node: Node) -> "Profile":
        """The same profile, knowing the document it was read from."""
        self._origin = Origin(node)
        return self

    def place(self, path: Path) -> Place | None:
        """Where the value at a path was written; None for a default, or for a profile made in code."""
        return self._origin.place(path)
