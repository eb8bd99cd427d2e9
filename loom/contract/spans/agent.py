"""Spans of the agents."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind
from loom.contract.spans import event_bus

RUN = Span(
    "run",
    scopes.AGENT,
    SpanKind.CONSUMER,
    "One event handled by one agent: one span an event, never one a lifetime.",
    (a.AGENT_ID, a.AGENT_TYPE, a.EVENT_ID, a.TOPIC, a.EVENT_OUTCOME),
    parents=(event_bus.PUBLISH.key,),
)
ROUTE_EVENT = Span(
    "route_event",
    scopes.AGENT,
    SpanKind.INTERNAL,
    "The agent asks the router what to do with the event.",
    (a.AGENT_ID, a.EVENT_ID, a.ROUTE),
    parents=(RUN.key,),
)
EXECUTE_ACTION = Span(
    "execute_action",
    scopes.AGENT,
    SpanKind.INTERNAL,
    "One action that the agent's handler asked for.",
    (a.AGENT_ID, a.ACTION_TYPE, a.CAPABILITY, a.CALL_ID, a.CALL_STATUS),
    parents=(RUN.key,),
)

ALL = (RUN, ROUTE_EVENT, EXECUTE_ACTION)
