"""Alerts on the collectors: what they refuse, and what they lose."""

from loom.contract import foreign as f
from loom.deploy.artifacts.prometheus import targets
from loom.deploy.artifacts.rules import queue
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.trouble import Trouble
from loom.deploy.plan.model import Plan

_LOST = (
    f.ENQUEUE_FAILED_SPANS,
    f.ENQUEUE_FAILED_METRIC_POINTS,
    f.SEND_FAILED_SPANS,
    f.SEND_FAILED_METRIC_POINTS,
)
_EXPORTER = {"exporter": "otlp_grpc/jaeger"}
_ROLES = (f.JOB_COLLECTOR, f.JOB_METRICS, f.JOB_SAMPLER)


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """From queues that fill to what is refused, of every collector that there is."""
    scraped = {target.job for target in targets(plan)}
    jobs = tuple(job for job in _ROLES if job in scraped)
    return (*queue.alerts(jobs), *(trouble.alert() for trouble in _troubles(jobs)))


def _troubles(jobs: tuple[str, ...]) -> tuple[Trouble, ...]:
    return (
        Trouble(
            "CollectorLosingData",
            _LOST,
            jobs,
            "15m",
            "0m",
            Severity.WARNING,
            "The collector has lost something that was meant for {{ $labels.exporter }}",
            "{{ $value | humanize }} items did not fit into its queue, or were given up, in fifteen minutes.",
            _EXPORTER,
        ),
        Trouble(
            "CollectorDroppingData",
            _LOST,
            jobs,
            "5m",
            "5m",
            Severity.CRITICAL,
            "The collector goes on losing what is meant for {{ $labels.exporter }}",
            "{{ $value | humanize }} items did not fit into its queue, or were given up, in five minutes.",
            _EXPORTER,
        ),
        Trouble(
            "CollectorRefusingData",
            (f.REFUSED_SPANS, f.REFUSED_METRIC_POINTS),
            jobs,
            "5m",
            "5m",
            Severity.WARNING,
            "The collector refuses telemetry",
            "{{ $value | humanize }} items were refused in five minutes; senders try again for a while.",
            {"receiver": "otlp"},
        ),
        Trouble(
            "CollectorOutOfMemory",
            (f.LIMITER_REFUSED_SPANS, f.LIMITER_REFUSED_METRIC_POINTS),
            jobs,
            "5m",
            "5m",
            Severity.CRITICAL,
            "The collector's memory limiter refuses telemetry",
            "{{ $value | humanize }} items were refused in five minutes because its memory is used up.",
        ),
    )
