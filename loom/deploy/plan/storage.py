"""Disks and times that do not fit each other."""

from collections.abc import Iterator

from loom.deploy.plan.estimate import HEAD_SECONDS, prometheus_disk
from loom.deploy.plan.finding import WORKLOAD, at, human, span
from loom.deploy.plan.model import Plan
from loom.errors import Problem

RATE_WINDOW = 300
"""Seconds that rates in rules look back."""
RATE_VALUES = 4
"""Values a rate needs in its window: two make a rate, and one may be late at either end."""


def metrics_disk(plan: Plan) -> Iterator[Problem]:
    """Prometheus deletes whole blocks, once they are there: its size limit is not what the disk sees."""
    profile = plan.profile
    needed = prometheus_disk(profile, plan.estimate.samples_per_second)
    if needed > profile.volumes.prometheus.base:
        room = human(profile.volumes.prometheus.base)
        message = (
            f"{profile.metrics.retention.size} does not fit the volume of {room}:"
            f" with a tenth for compaction and {span(HEAD_SECONDS)} of samples before it,"
            f" {human(needed)} are needed"
        )
        hint = "lower it or the numbers in workload, or raise volumes.prometheus"
        causes = ("volumes.prometheus", "metrics.scrape_interval", *WORKLOAD)
        yield at(profile, "metrics.retention.size", message, hint, causes)


def traces_disk(plan: Plan) -> Iterator[Problem]:
    """Jaeger has no size limit: what the workload makes must fit."""
    profile, needed = plan.profile, plan.estimate.jaeger_bytes
    if needed > profile.volumes.jaeger.base:
        message = (
            f"{profile.tracing.retention} of {plan.estimate.spans_per_second:,.0f} spans a second are about"
            f" {human(needed)}, more than the volume of {human(profile.volumes.jaeger.base)}"
        )
        hint = "lower it, tracing.sampler or workload.events_per_second, or raise volumes.jaeger"
        causes = ("tracing.sampler", "tracing.storage", "workload.events_per_second", "volumes.jaeger")
        yield at(profile, "tracing.retention", message, hint, causes)


def queue(plan: Plan) -> Iterator[Problem]:
    """A full queue must fit what is left for it, in memory or on disk."""
    profile, needed = plan.profile, plan.estimate.queue_bytes
    on_disk = profile.collector.queue.storage == "disk"
    soft = (plan.limiter.limit_mib - plan.limiter.spike_mib) * 2**20
    room = profile.volumes.collector.base if on_disk else soft
    if needed > room:
        place = "volumes.collector" if on_disk else "the collector's memory, limit less spike,"
        message = f"a full queue takes about {human(needed)}, more than {place} has: {human(room)}"
        raised = "volumes.collector" if on_disk else "collector.memory"
        causes = (raised, "collector.queue.storage")
        yield at(profile, "collector.queue.size", message, f"lower it, or raise {raised}", causes)


def intervals(plan: Plan) -> Iterator[Problem]:
    """Rates need several values in their window, whoever is slow."""
    metrics = plan.profile.metrics
    for key, interval in (("export", metrics.export_interval), ("scrape", metrics.scrape_interval)):
        if interval.seconds * RATE_VALUES > RATE_WINDOW:
            message = f"{interval} leaves fewer than {RATE_VALUES} values in the 5m that rates look back"
            hint = f"write at most {RATE_WINDOW // RATE_VALUES}s"
            yield at(plan.profile, f"metrics.{key}_interval", message, hint)


CHECKS = (metrics_disk, traces_disk, queue, intervals)
