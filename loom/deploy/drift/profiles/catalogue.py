"""What is known about the values of a profile. One that is not listed is shown with its description."""

from functools import partial

from loom.deploy.drift.profiles.fact import OFF_SAFER, Fact, Safer
from loom.deploy.plan.estimate import kept_seconds
from loom.deploy.plan.finding import human, span
from loom.deploy.plan.model import Plan, Service


def _limits(plan: Plan) -> str:
    limiter, container = plan.limiter, plan.container(Service.COLLECTOR)
    return (
        f"refuses data above {limiter.limit_mib - limiter.spike_mib} MiB, limit {limiter.limit_mib} MiB,"
        f" GOMEMLIMIT {container.gomemlimit_mib} MiB"
    )


def _told(service: Service, plan: Plan) -> str:
    return f"GOMEMLIMIT {plan.container(service).gomemlimit_mib} MiB"


def _bridged(plan: Plan) -> str:
    rate = plan.estimate.spans_per_second
    full = f"takes {human(plan.estimate.queue_bytes)} when full"
    return f"bridges {span(plan.profile.collector.queue.size / rate)} of spans, {full}" if rate else full


def _kept(plan: Plan) -> str:
    kept, size = kept_seconds(plan.profile, plan.estimate), plan.profile.metrics.retention.size
    wanted = plan.profile.metrics.retention.time
    limit = f"{size} are full first" if kept < wanted.seconds else "time is reached first"
    return f"keeps {span(kept)}: {limit}"


def _stored(plan: Plan) -> str:
    tracing = plan.profile.tracing
    if tracing.storage == "memory":
        return f"the last {tracing.max_traces:,} traces"
    return f"about {human(plan.estimate.jaeger_bytes)} on disk"


def _not_on_disk(plan: Plan) -> str:
    return "traces are in memory" if plan.profile.tracing.storage == "memory" else ""


def _not_in_memory(plan: Plan) -> str:
    return "" if plan.profile.tracing.storage == "memory" else "traces are on disk"


def _spans(plan: Plan) -> str:
    return f"{plan.estimate.spans_per_second:,.0f} spans/s reach Jaeger"


def _samples(plan: Plan) -> str:
    return f"{plan.estimate.samples_per_second:,.0f} samples/s"


_PROTECTION = (
    Fact(
        "security.tls.mode",
        "transport between the parts",
        "in plain text, whoever reaches the network reads and forges telemetry",
        {"off": "plain text", "server": "TLS", "mutual": "TLS with client certificates"},
        Safer.LATER,
    ),
    Fact(
        "security.tls.minimum",
        "oldest TLS that is spoken",
        "an older one allows weaker ciphers",
        {"1.2": "1.2", "1.3": "1.3"},
        Safer.LATER,
    ),
    Fact(
        "security.ingestion",
        "how Loom proves itself to the collector",
        "a stolen token works from everywhere, a certificate's key never travels",
        {"token": "by a bearer token", "certificate": "by its client certificate"},
        Safer.LATER,
    ),
    Fact(
        "security.authentication",
        "reading and writing without a password",
        "without authentication whoever reaches a page or an API uses it",
        {"off": "anybody", "basic": "nobody"},
        Safer.LATER,
    ),
    Fact(
        "security.hardened",
        "containers",
        "hardened: read-only, on networks of their own, with only the needed ports published",
        {False: "as they come", True: "hardened"},
        Safer.LATER,
    ),
    Fact(
        "security.waivers",
        "edges with leave to be unprotected",
        "each may be less than encrypted and authenticated until its day",
    ),
    Fact(
        "ports.bind",
        "address that ports are published on",
        "0.0.0.0 is every interface of the machine",
        {"0.0.0.0": "0.0.0.0, every interface", "127.0.0.1": "127.0.0.1, this machine only"},  # noqa: S104 - a word for it
        Safer.LATER,
    ),
    Fact(
        "ports.ingest_bind",
        "address that telemetry is taken on",
        "0.0.0.0 lets other machines send",
        {"0.0.0.0": "0.0.0.0, every interface", "127.0.0.1": "127.0.0.1, this machine only"},  # noqa: S104 - a word for it
        Safer.LATER,
    ),
    Fact(
        "collector.diagnostics",
        "zpages and pprof of the collector",
        "they show data and memory to whoever asks",
        OFF_SAFER,
        Safer.LATER,
    ),
    Fact(
        "collector.queue.storage",
        "the collector's sending queue",
        "in memory it is lost with the collector, and a batch is given up after five minutes",
        {"memory": "in memory", "disk": "on disk"},
        Safer.LATER,
    ),
    Fact("collector.queue.size", "spans or points that the queue holds", _bridged, safer=Safer.MORE),
    Fact(
        "tracing.storage",
        "Jaeger's storage",
        "in memory all traces are lost at a restart of Jaeger",
        {"memory": "in memory", "badger": "on disk"},
        Safer.LATER,
    ),
    Fact("canary.enabled", "canary", "without it nobody notices that nothing arrives any more"),
)
_CAPACITY = (
    Fact("tracing.sampler", "traces that are kept", _spans),
    Fact(
        "tracing.retention",
        "age of the oldest trace on disk",
        _stored,
        safer=Safer.MORE,
        idle=_not_on_disk,
    ),
    Fact("tracing.max_traces", "traces in memory", _stored, safer=Safer.MORE, idle=_not_in_memory),
    Fact("metrics.retention.time", "age of the oldest sample", _kept, safer=Safer.MORE),
    Fact("metrics.retention.size", "size of all samples", _kept, safer=Safer.MORE),
    Fact("volumes.prometheus", "disk of Prometheus", "retention is checked against it"),
    Fact("volumes.jaeger", "disk of Jaeger", "retention is checked against it"),
    Fact("volumes.collector", "disk of the collector's queue", "the queue is checked against it"),
    Fact("collector.memory", "memory of the collector", _limits, safer=Safer.MORE),
    Fact("memory.prometheus", "memory of Prometheus", partial(_told, Service.PROMETHEUS), safer=Safer.MORE),
    Fact(
        "memory.alertmanager",
        "memory of Alertmanager",
        partial(_told, Service.ALERTMANAGER),
        safer=Safer.MORE,
    ),
    Fact("memory.jaeger", "memory of Jaeger", partial(_told, Service.JAEGER), safer=Safer.MORE),
    Fact("memory.grafana", "memory of Grafana", partial(_told, Service.GRAFANA), safer=Safer.MORE),
    Fact("alerting.receivers", "who is called", "with none, alerts show in Alertmanager only"),
    Fact("metrics.naming", "names of series", "queries and dashboards of your own follow one style only"),
    Fact(
        "metrics.delivery",
        "way of metrics into Prometheus",
        "several collectors behind one Prometheus need otlp",
        {"scrape": "scraped from the collector", "otlp": "pushed by the collector"},
    ),
    Fact("metrics.scrape_interval", "time between scrapes, and evaluations of rules", _samples),
    Fact("metrics.export_interval", "time between exports of the runtime", _samples),
    Fact("environment", "environment", "in every span, metric and alert; `production` is held to more"),
    Fact("name", "name of the profile", "names the compose project and the folder of what is rendered"),
)

FACTS = {fact.path: fact for fact in (*_PROTECTION, *_CAPACITY)}
"""Path → what is known."""
