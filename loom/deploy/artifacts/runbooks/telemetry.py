"""Runbooks of Loom's own telemetry: silence, lost spans, labels that ran over."""

from loom.contract import attributes as a
from loom.contract import foreign as f
from loom.contract.metrics import telemetry
from loom.contract.recording import LEVEL
from loom.contract.resource import INSTANCE
from loom.deploy.artifacts.runbooks.runbook import Asked, Runbook, again
from loom.deploy.plan.model import Service

BOOK = {
    "LoomTelemetryAbsent": Runbook(
        "Not one Loom process has sent metrics for fifteen minutes. On a developer's machine where Loom is"
        " simply not running this is as expected.",
        "Every other alert on Loom is blind.",
        "Is Loom running, and does `OTEL_EXPORTER_OTLP_ENDPOINT` point to this collector? Its log says"
        " `OpenTelemetry initialized successfully` when telemetry is on. Then see"
        " [PipelineTargetDown](./PipelineTargetDown.md).",
        lambda ask: (
            ask.api("whether the collector is well", Asked.COLLECTOR, "/"),
            ask.foreign("what it takes in", f.ACCEPTED_METRIC_POINTS, "receiver"),
            ask.shell("the one thing that is broken", "loom-deploy doctor"),
        ),
    ),
    "LoomServiceSilent": Runbook(
        "A service sent metrics for half of the last hour or more, and sends none now. One that ran for a"
        " shorter time, as a job does, is not missed.",
        "It has ended, crashed, or lost its way to the collector. A service that ended as planned fires this"
        " too. Half an hour after its end the alert is over by itself: that does not mean that it is back.",
        "Start it again, or silence the alert for a planned end. The log of the process says how it ended.",
        lambda ask: (
            ask.increase(
                "who reported within the hour", telemetry.SPANS_CREATED, *LEVEL, INSTANCE, over="1h"
            ),
            ask.foreign("whether anything is taken in", f.ACCEPTED_METRIC_POINTS, "receiver"),
            ask.foreign("whether something is refused", f.REFUSED_METRIC_POINTS, "receiver"),
        ),
    ),
    "LoomSpansLost": Runbook(
        "More than one span in a hundred never reached the collector.",
        "Traces have holes. Metrics are not affected.",
        "`queue_full`: more spans than the exporter can send; sample less or give it more memory."
        " `export_failed`: the collector was away or refused; see"
        " [CollectorRefusingData](./CollectorRefusingData.md). `shutdown`: the process ended before it had"
        " flushed.",
        lambda ask: (
            ask.rate("why", telemetry.SPANS_LOST, *LEVEL, a.LOST_REASON.label, over="10m"),
            ask.foreign("whether the collector refuses", f.REFUSED_SPANS, "receiver"),
            ask.log(Service.COLLECTOR),
        ),
    ),
    "LoomAttributeOverflow": Runbook(
        f"An attribute took more values than its budget; the rest is counted as `other`. {again('an hour')}",
        "Totals stay right; single values of this attribute can no longer be told apart.",
        "Almost always an id where a pattern belongs: record `thread.*.reply`, not `thread.8f3a.reply`.",
        lambda ask: (
            ask.increase(
                "which attribute of which metric",
                telemetry.ATTRIBUTE_OVERFLOW,
                *LEVEL,
                a.OVERFLOW_METRIC.label,
                a.OVERFLOW_ATTRIBUTE.label,
                over="1h",
            ),
            ask.foreign("series altogether", f.HEAD_SERIES),
        ),
    ),
}
