"""Metrics of the event bus."""

from loom.contract import attributes as a
from loom.contract import boundaries, scopes
from loom.contract.metric import Kind, Metric

PUBLISHED = Metric(
    "loom.event_bus.published_total",
    Kind.COUNTER,
    "{event}",
    "Events accepted for publishing, with or without subscribers.",
    scopes.EVENT_BUS,
    (a.TOPIC, a.QOS),
    documented=True,
)
DELIVERED = Metric(
    "loom.event_bus.delivered_total",
    Kind.COUNTER,
    "{event}",
    "Subscription queues that events entered: one event delivered to three subscribers counts three.",
    scopes.EVENT_BUS,
    (a.TOPIC,),
    documented=True,
)
DROPPED = Metric(
    "loom.event_bus.dropped_total",
    Kind.COUNTER,
    "{event}",
    "Events dropped, per subscription, or per publish when there was no subscriber.",
    scopes.EVENT_BUS,
    (a.TOPIC, a.DROP_REASON),
    documented=True,
)
ACTIVE_SUBSCRIPTIONS = Metric(
    "loom.event_bus.active_subscriptions",
    Kind.UP_DOWN_COUNTER,
    "{subscription}",
    "Subscriptions that exist now.",
    scopes.EVENT_BUS,
    (a.QOS,),
    documented=True,
)
BACKLOG = Metric(
    "loom.event_bus.backlog_current",
    Kind.OBSERVABLE_GAUGE,
    "{event}",
    "Events queued and not yet taken by their subscriber.",
    scopes.EVENT_BUS,
    (a.TOPIC,),
)
PUBLISH_LATENCY = Metric(
    "loom.event_bus.publish_latency",
    Kind.HISTOGRAM,
    "s",
    "Duration of a whole publish, waiting for a slot included.",
    scopes.EVENT_BUS,
    (a.TOPIC, a.QOS),
    boundaries.PUBLISH,
    documented=True,
)

ALL = (PUBLISHED, DELIVERED, DROPPED, ACTIVE_SUBSCRIPTIONS, BACKLOG, PUBLISH_LATENCY)
