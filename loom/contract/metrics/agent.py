"""Metrics of the agents."""

from loom.contract import attributes as a
from loom.contract import boundaries, scopes
from loom.contract.metric import Kind, Metric

EVENTS_PROCESSED = Metric(
    "loom.agent.events_processed",
    Kind.COUNTER,
    "{event}",
    "Events an agent took from its mailbox, by what became of them.",
    scopes.AGENT,
    (a.AGENT_TYPE, a.EVENT_OUTCOME),
)
ACTIONS_EXECUTED = Metric(
    "loom.agent.actions_executed",
    Kind.COUNTER,
    "{action}",
    "Actions that agents asked for, by how they ended.",
    scopes.AGENT,
    (a.AGENT_TYPE, a.ACTION_TYPE, a.CALL_STATUS),
)
EVENT_LATENCY = Metric(
    "loom.agent.event_latency",
    Kind.HISTOGRAM,
    "s",
    "Time from taking an event to having handled it, its actions included.",
    scopes.AGENT,
    (a.AGENT_TYPE,),
    boundaries.HANDLE,
)
ROUTING_DECISIONS = Metric(
    "loom.agent.routing_decisions",
    Kind.COUNTER,
    "{decision}",
    "Routes that were chosen for an agent's events.",
    scopes.AGENT,
    (a.AGENT_TYPE, a.ROUTE),
)

ALL = (EVENTS_PROCESSED, ACTIONS_EXECUTED, EVENT_LATENCY, ROUTING_DECISIONS)
