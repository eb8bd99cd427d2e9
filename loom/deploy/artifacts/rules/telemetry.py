"""Alerts on Loom's own telemetry: silence, lost spans, labels that ran over."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metrics import event_bus, telemetry
from loom.contract.promql import Queries, above, absent, aggregate, binary, both, call, select, unless
from loom.contract.recording import LEVEL
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import GONE, Course, held
from loom.deploy.artifacts.rules.question import LEAST_CALLS, increased, of
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Growth, Share
from loom.deploy.plan.model import Plan

PULSE = telemetry.SPANS_CREATED
"""Every Loom process reports it from its first export on, whatever it does."""
LOST = 0.01
"""Share of the spans that may be lost."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """From nothing at all to details."""
    return (_absent(plan), _silent(plan), _lost(plan), _overflow(plan))


def _absent(plan: Plan) -> Alert:
    gone, there = held((5.0, 20), (GONE, 25), (5.0, 5)), held((5.0, 45))
    return Alert(
        "LoomTelemetryAbsent",
        absent(plan.naming.series(PULSE)),
        "15m",
        Severity.WARNING,
        scopes.TELEMETRY,
        "No Loom process reports",
        "Not one Loom process has sent metrics for fifteen minutes.",
        Proof(
            (
                _reporting(plan, Kind.FIRES, "it ends", gone),
                _reporting(plan, Kind.QUIET, "it goes on", there),
            ),
            STATED,
            silent=({},),
        ),
    )


def _reporting(plan: Plan, kind: Kind, about: str, course: Course) -> Scene:
    stage = Stage(lambda minute: course.values[minute] is GONE, 15, len(course) - 1)
    return play(kind, about, (of(plan, PULSE, course),), stage)


def _silent(plan: Plan) -> Alert:
    series = plan.naming.series(PULSE)
    before = aggregate("sum", call("count_over_time", select(series, window="1h")), by=LEVEL)
    now = aggregate("sum", select(series), by=LEVEL)
    return Alert(
        "LoomServiceSilent",
        unless(before, now),
        "10m",
        Severity.WARNING,
        scopes.TELEMETRY,
        "{{ $labels.job }} has stopped reporting",
        "It sent metrics within the last hour and sends none now.",
        Proof((_stopping(plan, 20, Kind.FIRES), _stopping(plan, 100, Kind.QUIET)), STATED),
    )


def _stopping(plan: Plan, minutes: int, kind: Kind) -> Scene:
    """One of two services stops after so many minutes; an hour later that is no news any more."""
    course = held((5.0, minutes), (GONE, 100 - minutes))

    def truth(minute: int) -> bool:
        return minutes <= minute < minutes - 1 + 60

    inputs = (
        of(plan, PULSE, course),
        Input(plan.naming.series(PULSE), held((5.0, 100)), {"job": "loom-other"}),
    )
    return play(
        kind, "one of two stops" if kind is Kind.FIRES else "both go on", inputs, Stage(truth, 10, 99)
    )


def _lost(plan: Plan) -> Alert:
    queries = Queries(plan.naming, window="10m")
    share = binary(
        queries.rate(telemetry.SPANS_LOST, LEVEL), "/", queries.rate(telemetry.SPANS_CREATED, LEVEL)
    )
    enough = above(queries.increase(telemetry.SPANS_LOST, LEVEL), LEAST_CALLS)

    def spans(lost: Course, kept: Course) -> tuple[Input, ...]:
        return (
            of(plan, telemetry.SPANS_LOST, lost, reason="queue_full"),
            of(plan, telemetry.SPANS_CREATED, lost + kept),
        )

    return Alert(
        "LoomSpansLost",
        both(above(share, LOST), enough),
        "5m",
        Severity.WARNING,
        scopes.TELEMETRY,
        "Spans of {{ $labels.job }} never reach the collector",
        "{{ $value | humanizePercentage }} of its spans were lost in ten minutes.",
        Share(LOST, "10m", "5m", LEAST_CALLS, spans, of_failed=True).proof(),
    )


def _overflow(plan: Plan) -> Alert:
    by = (a.OVERFLOW_METRIC.label, a.OVERFLOW_ATTRIBUTE.label)
    labels = dict(zip(by, (event_bus.PUBLISHED.name, a.TOPIC.name), strict=True))

    def measurements(course: Course) -> tuple[Input, ...]:
        return (of(plan, telemetry.ATTRIBUTE_OVERFLOW, course, **labels),)

    return Alert(
        "LoomAttributeOverflow",
        above(increased(plan, telemetry.ATTRIBUTE_OVERFLOW, "1h", by), 0),
        "0m",
        Severity.WARNING,
        scopes.TELEMETRY,
        "{{ $labels.attribute }} of {{ $labels.metric }} takes too many values",
        "{{ $value | humanize }} measurements in an hour went to the overflow value.",
        Growth(0, "1h", "0m", measurements).proof(),
    )
