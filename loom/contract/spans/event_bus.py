"""Spans of the event bus."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind

PUBLISH = Span(
    "publish",
    scopes.EVENT_BUS,
    SpanKind.PRODUCER,
    "One event handed to every matching subscription.",
    (
        a.EVENT_ID,
        a.TOPIC,
        a.EVENT_TYPE,
        a.QOS,
        a.DELIVERED,
        a.DROPPED,
        a.MESSAGING_SYSTEM,
        a.MESSAGING_OPERATION,
        a.MESSAGING_DESTINATION,
        a.MESSAGING_ID,
    ),
)
SUBSCRIBE = Span(
    "subscribe",
    scopes.EVENT_BUS,
    SpanKind.INTERNAL,
    "A subscription made.",
    (a.TOPIC, a.SUBSCRIPTION_ID, a.QOS),
)
UNSUBSCRIBE = Span(
    "unsubscribe",
    scopes.EVENT_BUS,
    SpanKind.INTERNAL,
    "A subscription ended.",
    (a.TOPIC, a.SUBSCRIPTION_ID, a.QOS),
)

ALL = (PUBLISH, SUBSCRIBE, UNSUBSCRIBE)
