"""What a profile will cost: estimates from the contract and the workload; each assumption is a constant here.

Series and queue are upper bounds; disk is what the workload makes when it lasts. "Measured" is: with the
pinned programs, spans with the contract's attributes (272 bytes of OTLP each), series with the labels of a
deployment.
"""

from collections.abc import Sequence
from math import prod

from loom.contract import attributes as a
from loom.contract.attribute import Attribute
from loom.contract.metric import Metric
from loom.contract.metrics import ALL
from loom.deploy.plan import topology
from loom.deploy.plan.model import Container, Estimate, Service
from loom.deploy.plan.reduction import delivered
from loom.deploy.profile.model import Profile, Workload

SPANS_PER_EVENT = 6
"""One event, one agent, one action: publish, run, route_event, route, execute_action, invoke."""
SPAN_BYTES_QUEUED = 1024
"""A span or metric point in the collector's queue: its OTLP, and what Go objects or bbolt pages add."""
SPAN_BYTES_STORED = 768
"""A span in badger with its indexes; measured 600 to 740 over 480,000 spans."""
SPAN_BYTES_IN_MEMORY = 2048
"""A span in Jaeger's memory storage."""
SAMPLE_BYTES_STORED = 2
"""A sample in Prometheus' blocks; its documentation says 1 to 2 bytes."""
SAMPLE_BYTES_HEAD = 10
"""A sample in the write-ahead log and the head's chunks; measured 7 in the log alone."""
HEAD_SECONDS = 3 * 3600
"""The head holds up to three hours before they become a block."""
SERIES_BYTES = 4096
"""Prometheus' memory for an active series; measured 3,000 without queries."""
PROMETHEUS_BYTES = 100 * 2**20
"""Prometheus' memory besides its series, a query or two included."""
AGGREGATES = 5
"""Values that Thanos keeps of each coarse step: count, sum, least, largest and the counter's."""
COMPACTION_SHARE = 0.1
"""Room to write a block anew before the old ones are deleted."""
STACK_SERIES = 2_000
"""What collector, Jaeger, Prometheus and Alertmanager say about themselves, and the recording rules."""
ERRORS = 3
"""Different errors that one capability, tool or model really shows, whatever its budget."""
MODELS = 3
"""Models that one process asks, all of one provider."""


def estimate(profile: Profile, containers: tuple[Container, ...]) -> Estimate:
    """All estimates of a profile."""
    metrics = profile.metrics
    series = loom_series(profile.workload, delivered(profile))
    # What is pushed arrives at the pace of the exports, what is scraped at the pace of the scrapes.
    interval = metrics.scrape_interval if metrics.delivery == "scrape" else metrics.export_interval
    samples = series / interval.seconds + STACK_SERIES / metrics.scrape_interval.seconds
    spans = _kept(profile, profile.workload.events_per_second * SPANS_PER_EVENT)
    return Estimate(
        series,
        samples,
        spans,
        int(samples * metrics.retention.time.seconds * SAMPLE_BYTES_STORED),
        _jaeger_bytes(profile, spans),
        max(queued_bytes(profile, collector) for collector in topology.collectors(profile)),
        sum(container.memory_mib for container in containers),
    )


def loom_series(workload: Workload, metrics: Sequence[Metric] = ALL) -> int:
    """Loom's series, at most: every combination of the values in use, in every process."""
    counts = _distinct(workload)
    own = sum(
        metric.series_per_set * prod(counts.get(key) or len(key.values) for key in metric.attributes)
        for metric in metrics
        if all(counts.get(key, 1) for key in metric.attributes)
    )
    return own * workload.processes


def points(workload: Workload) -> int:
    """Data points that one process exports at once, at most: a histogram is one, whatever its buckets."""
    counts = _distinct(workload)
    return sum(
        prod(counts.get(key) or len(key.values) for key in metric.attributes)
        for metric in ALL
        if all(counts.get(key, 1) for key in metric.attributes)
    )


def _distinct(workload: Workload) -> dict[Attribute, int]:
    """How many values of each open attribute are in use; closed sets count whole."""
    return {
        a.TOPIC: workload.topics,
        a.CAPABILITY: workload.capabilities,
        a.ACTION_TYPE: workload.capabilities,
        a.TOOL: workload.tools,
        a.SERVER: workload.servers,
        a.AGENT_TYPE: workload.agent_types,
        a.ERROR_CODE: ERRORS,
        a.ERROR_TYPE: ERRORS,
        a.PROVIDER_NAME: 1,
        a.REQUEST_MODEL: MODELS,
        # Nothing runs over a budget that is larger than what is in use.
        a.OVERFLOW_METRIC: 0,
        a.OVERFLOW_ATTRIBUTE: 0,
    }


def queued_bytes(profile: Profile, collector: Service) -> int:
    """A collector's full queues: one of its traces, and one to Prometheus when it pushes metrics."""
    duty = topology.duty(profile, collector)
    queues = bool(duty.traces) + (duty.metrics and profile.metrics.delivery == "otlp")
    return profile.collector.queue.size * SPAN_BYTES_QUEUED * queues


def queued_rate(profile: Profile) -> float:
    """Spans a second that go through one queue of traces: the first on their way, evenly shared."""
    spans = profile.workload.events_per_second * SPANS_PER_EVENT
    # Samplers come after the first queue, a collector that decides by itself before it.
    arriving = spans if profile.collector.topology == "tiered" else _kept(profile, spans)
    return arriving / profile.collector.replicas


def queue_seconds(profile: Profile) -> float:
    """How long one queue of traces takes what comes while nobody takes it."""
    rate = queued_rate(profile)
    return profile.collector.queue.size / rate if rate else 0.0


def _kept(profile: Profile, spans: float) -> float:
    """Spans a second that are sampled, by head or by tail."""
    tail = profile.tracing.tail
    if tail is None:
        return spans * profile.tracing.sampler.ratio
    rest = spans * (1 - tail.expected) * tail.ratio
    return spans * tail.expected + min(rest, tail.spans_per_second or rest)


def _jaeger_bytes(profile: Profile, spans_per_second: float) -> int:
    if profile.tracing.storage == "memory":
        return 0
    return int(spans_per_second * profile.tracing.retention.seconds * SPAN_BYTES_STORED)


def prometheus_disk(profile: Profile, samples_per_second: float) -> int:
    """Bytes that `metrics.retention.size` really takes: a tenth more while compacting, and the head."""
    head = samples_per_second * HEAD_SECONDS * SAMPLE_BYTES_HEAD
    return int(profile.metrics.retention.size.base * 1.1 + head)


def objects_disk(profile: Profile, series: int, samples_per_second: float) -> int:
    """Bytes of Thanos' blocks of every resolution, and room for the compactor to write one anew."""
    thanos = profile.metrics.longterm.thanos
    if thanos is None:
        return 0
    kept = thanos.retention
    raw = samples_per_second * kept.raw.seconds
    coarse = sum(
        (series + STACK_SERIES) / step * time.seconds * AGGREGATES
        for step, time in ((300, kept.five_minutes), (3600, kept.hour))
    )
    return int((raw + coarse) * SAMPLE_BYTES_STORED * (1 + COMPACTION_SHARE))


def prometheus_memory(series: int) -> int:
    """Bytes of memory that Prometheus needs for Loom's series and those of the stack."""
    return (series + STACK_SERIES) * SERIES_BYTES + PROMETHEUS_BYTES


def series_within(memory: int) -> int:
    """How many series Prometheus has room for in so many bytes of memory."""
    return max(0, memory - PROMETHEUS_BYTES) // SERIES_BYTES


def traces_memory(profile: Profile) -> int:
    """Bytes of memory that Jaeger's traces take when they are kept there and it is full."""
    return profile.tracing.max_traces * SPANS_PER_EVENT * SPAN_BYTES_IN_MEMORY


def kept_seconds(profile: Profile, found: Estimate) -> float:
    """How long samples are really kept: the retention time, or less when the size is reached first."""
    time, size = profile.metrics.retention.time.seconds, profile.metrics.retention.size.base
    return time if found.prometheus_bytes <= size else time * size / found.prometheus_bytes
