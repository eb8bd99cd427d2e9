"""Metrics of the telemetry itself: what the SDK does not say."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metric import Kind, Metric

SPANS_CREATED = Metric(
    "loom.telemetry.spans_created_total",
    Kind.COUNTER,
    "{span}",
    "Sampled spans that were ended and handed to the exporter's queue.",
    scopes.TELEMETRY,
)
SPANS_EXPORTED = Metric(
    "loom.telemetry.spans_exported_total",
    Kind.COUNTER,
    "{span}",
    "Spans that the collector acknowledged.",
    scopes.TELEMETRY,
)
SPANS_LOST = Metric(
    "loom.telemetry.spans_lost_total",
    Kind.COUNTER,
    "{span}",
    "Spans that never reached the collector.",
    scopes.TELEMETRY,
    (a.LOST_REASON,),
)
ATTRIBUTE_OVERFLOW = Metric(
    "loom.telemetry.attribute_overflow_total",
    Kind.COUNTER,
    "{measurement}",
    "Measurements whose attribute went to the overflow value because its budget was spent.",
    scopes.TELEMETRY,
    (a.OVERFLOW_METRIC, a.OVERFLOW_ATTRIBUTE),
)

ALL = (SPANS_CREATED, SPANS_EXPORTED, SPANS_LOST, ATTRIBUTE_OVERFLOW)
