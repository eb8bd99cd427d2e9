"""Spans of the agent runtime."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind

CREATE_AGENT = Span(
    "create_agent",
    scopes.AGENT_RUNTIME,
    SpanKind.INTERNAL,
    "An agent created and subscribed.",
    (a.AGENT_ID, a.AGENT_TYPE),
)
DELETE_AGENT = Span(
    "delete_agent",
    scopes.AGENT_RUNTIME,
    SpanKind.INTERNAL,
    "An agent drained, unsubscribed and deleted.",
    (a.AGENT_ID, a.AGENT_TYPE),
)
SUBSCRIBE_AGENT = Span(
    "subscribe_agent",
    scopes.AGENT_RUNTIME,
    SpanKind.INTERNAL,
    "An agent subscribed to one more topic.",
    (a.AGENT_ID, a.AGENT_TYPE, a.TOPIC),
)
UNSUBSCRIBE_AGENT = Span(
    "unsubscribe_agent",
    scopes.AGENT_RUNTIME,
    SpanKind.INTERNAL,
    "An agent unsubscribed from a topic.",
    (a.AGENT_ID, a.AGENT_TYPE, a.TOPIC),
)

ALL = (CREATE_AGENT, DELETE_AGENT, SUBSCRIBE_AGENT, UNSUBSCRIBE_AGENT)
