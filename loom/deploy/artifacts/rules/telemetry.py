"""Alerts on Loom's own telemetry: silence, lost spans, labels that ran over."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metrics import event_bus, telemetry
from loom.contract.promql import (
    Queries,
    above,
    absent,
    aggregate,
    binary,
    both,
    scalar,
    select,
    share_of_time,
    unless,
)
from loom.contract.recording import LEVEL
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import GONE, Course, held
from loom.deploy.artifacts.rules.question import LEAST_CALLS, occurred, of
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Growth, Share
from loom.deploy.plan.model import Plan

PULSE = telemetry.SPANS_CREATED
"""Every Loom process reports it from its first export on, whatever it does."""
LASTING = 0.5
"""Share of an hour for which a service reports that is to be missed."""
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
    now = aggregate("sum", select(series), by=LEVEL)
    # A program that ran for a moment and ended is none that should still be there.
    before = binary(share_of_time(now, "1h", "1m"), ">=", scalar(LASTING))
    return Alert(
        "LoomServiceSilent",
        unless(before, now),
        "10m",
        Severity.WARNING,
        scopes.TELEMETRY,
        "{{ $labels.job }} has stopped reporting",
        "It sent metrics for half of the last hour or more, and sends none now.",
        Proof(
            (
                _stopping(plan, Kind.FIRES, "one of two stops", 35),
                _stopping(plan, Kind.QUIET, "both go on", _STOPPING),
                _stopping(plan, Kind.QUIET, "one of two was there for less than half an hour", 29),
                _stopping(plan, Kind.QUIET, "one of two was there for two minutes", 2),
            ),
            STATED,
        ),
    )


_STOPPING = 100


def _stopping(plan: Plan, kind: Kind, about: str, minutes: int) -> Scene:
    """One of two services stops after so many minutes; half an hour later that is no news any more."""
    course = held((5.0, minutes), (GONE, _STOPPING - minutes))

    def truth(minute: int) -> bool:
        hour = course.values[max(0, minute - 59) : minute + 1]
        reported = sum(value is not GONE for value in hour)
        return hour[-1] is GONE and reported >= LASTING * 60

    inputs = (
        of(plan, PULSE, course),
        Input(plan.naming.series(PULSE), held((5.0, _STOPPING)), {"job": "loom-other"}),
    )
    return play(kind, about, inputs, Stage(truth, 10, _STOPPING - 1), *range(10, _STOPPING, 10))


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
        above(occurred(plan, telemetry.ATTRIBUTE_OVERFLOW, "1h", by), 0),
        "0m",
        Severity.WARNING,
        scopes.TELEMETRY,
        "{{ $labels.attribute }} of {{ $labels.metric }} takes too many values",
        "{{ $value | humanize }} measurements in an hour went to the overflow value.",
        Growth(0, "1h", "0m", measurements, born=True).proof(),
    )
