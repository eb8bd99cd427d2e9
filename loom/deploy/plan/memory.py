"""Memory that is too little for what runs in it."""

from collections.abc import Iterator

from loom.deploy.plan.estimate import prometheus_memory, traces_memory
from loom.deploy.plan.finding import WORKLOAD, at, human
from loom.deploy.plan.model import Plan, Service
from loom.deploy.plan.policy import PRODUCTION
from loom.errors import Problem

_LEAST = {
    Service.COLLECTOR: ("collector.memory", 128),
    Service.JAEGER: ("memory.jaeger", 128),
    Service.PROMETHEUS: ("memory.prometheus", 128),
    Service.ALERTMANAGER: ("memory.alertmanager", 32),
    Service.GRAFANA: ("memory.grafana", 128),
    Service.PROXY: ("memory.proxy", 32),
    Service.SAMPLER: ("memory.sampler", 128),
    Service.BALANCER: ("memory.balancer", 32),
    Service.CANARY: ("memory.canary", 64),
    Service.THANOS_STORE: ("memory.thanos", 500),
}
"""MiB below which a program is killed before it has done anything. The collector was seen to take 80. Thanos'
store refuses a cache, a quarter of its memory, that is smaller than the largest item it may hold, 125 MiB."""

_FLOODED = 320
"""MiB of a collector that stays within them while a fifth of them arrives at every moment, as
tests/fire/test_memory.py sees. What arrives is there up to four times before it can be refused (as it came,
decoded, for the queue, and as garbage), and some 40 MiB are there at rest: one of 160 went beyond."""


def least(plan: Plan) -> Iterator[Problem]:
    """Every program needs some."""
    for service, (path, mib) in _LEAST.items():
        if service in plan.services and plan.container(service).memory_mib < mib:
            message = f"{service} does not start in less than {mib}MiB"
            yield at(plan.profile, path, message, f"write at least {mib}MiB")


def series(plan: Plan) -> Iterator[Problem]:
    """Every active series lies in Prometheus' memory."""
    needed, memory = prometheus_memory(plan.estimate.series), plan.profile.memory.prometheus
    if needed > memory.base >= _LEAST[Service.PROMETHEUS][1] * 2**20:
        message = (
            f"{plan.estimate.series:,} series need about {human(needed)}, more than {human(memory.base)}"
        )
        hint = "raise it, or lower the numbers in workload"
        yield at(plan.profile, "memory.prometheus", message, hint, WORKLOAD)


def traces(plan: Plan) -> Iterator[Problem]:
    """Traces in memory must fit it, when it is full."""
    profile = plan.profile
    needed, memory = traces_memory(profile), profile.memory.jaeger
    if profile.tracing.storage == "memory" and needed > memory.base:
        message = (
            f"{profile.tracing.max_traces:,} traces in memory take about {human(needed)},"
            f" more than {human(memory.base)}"
        )
        causes = ("memory.jaeger", "tracing.storage")
        yield at(profile, "tracing.max_traces", message, "lower it, or raise memory.jaeger", causes)


def remarks(plan: Plan) -> Iterator[Problem]:
    """Production whose collector a flood could end."""
    profile = plan.profile
    if profile.environment in PRODUCTION and profile.collector.memory.mib < _FLOODED:
        message = f"a flood may need more than {profile.collector.memory} before any of it can be refused"
        yield at(profile, "collector.memory", message, f"write at least {_FLOODED}MiB")


CHECKS = (least, series, traces)
