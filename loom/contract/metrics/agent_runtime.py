"""Metrics of the agent runtime."""

from loom.contract import scopes
from loom.contract.metric import Kind, Metric

AGENTS_ACTIVE = Metric(
    "loom.agent_runtime.agents_active",
    Kind.UP_DOWN_COUNTER,
    "{agent}",
    "Agents that exist now.",
    scopes.AGENT_RUNTIME,
    documented=True,
)
AGENTS_CREATED = Metric(
    "loom.agent_runtime.agents_created",
    Kind.COUNTER,
    "{agent}",
    "Agents created.",
    scopes.AGENT_RUNTIME,
    documented=True,
)
AGENTS_DELETED = Metric(
    "loom.agent_runtime.agents_deleted",
    Kind.COUNTER,
    "{agent}",
    "Agents deleted, crashed for good, or gone with the runtime.",
    scopes.AGENT_RUNTIME,
)
SUBSCRIPTIONS = Metric(
    "loom.agent_runtime.subscriptions_total",
    Kind.COUNTER,
    "{subscription}",
    "Topics that agents subscribed to, their private mailboxes included.",
    scopes.AGENT_RUNTIME,
    documented=True,
)
UNSUBSCRIPTIONS = Metric(
    "loom.agent_runtime.unsubscriptions_total",
    Kind.COUNTER,
    "{subscription}",
    "Topics that agents unsubscribed from, at deletion too.",
    scopes.AGENT_RUNTIME,
)

ALL = (AGENTS_ACTIVE, AGENTS_CREATED, AGENTS_DELETED, SUBSCRIPTIONS, UNSUBSCRIPTIONS)
