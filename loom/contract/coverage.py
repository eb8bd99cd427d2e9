"""How much of the contract a run can show: what is there only in trouble, sometimes, or never."""

from collections.abc import Mapping

from loom.contract import attributes as a
from loom.contract import metrics as m
from loom.contract import spans as s
from loom.contract.attribute import Attribute
from loom.contract.metric import Metric
from loom.contract.span import Span

NAMESPACE = "loom"
"""Metrics and scopes below this name are ours: one that the contract does not know is outside it."""

TROUBLE = (m.telemetry.SPANS_LOST,)
"""Above zero only when telemetry was lost."""

RARE = (m.telemetry.ATTRIBUTE_OVERFLOW,)
"""There only where a budget was spent, which is no fault of the telemetry's."""

OCCASIONAL: tuple[Metric, ...] = (
    *RARE,
    m.event_bus.DROPPED,
    m.action_broker.CACHE_HITS,
    m.action_broker.TIMEOUTS,
    m.action_broker.ERRORS,
    m.router.POLICY_VIOLATIONS,
    m.agent.ACTIONS_EXECUTED,
    m.agent.ROUTING_DECISIONS,
    m.mcp_manager.RECONNECTIONS,
    m.tool_orchestrator.TOOL_CALLS,
    m.tool_orchestrator.TOOL_ERRORS,
    m.tool_orchestrator.TOOL_LATENCY,
    m.tool_orchestrator.REFINE_CYCLES,
    m.gen_ai.TOKEN_USAGE,
)
"""A component that works well may never record these: failures, retries, features that are not used."""

OCCASIONAL_SPANS: tuple[Span, ...] = (
    s.agent.EXECUTE_ACTION,
    s.agent.ROUTE_EVENT,
    s.agent_runtime.SUBSCRIBE_AGENT,
    s.agent_runtime.UNSUBSCRIBE_AGENT,
    s.mcp_manager.RECONNECT_SERVER,
    s.mcp_manager.REMOVE_SERVER,
    s.tool_orchestrator.EXECUTE_TOOL,
)
"""The same for spans."""

UNREACHABLE: Mapping[Attribute, frozenset[str]] = {
    a.PROVIDER_TYPE: frozenset({"wasm", "grpc"}),  # no provider of these kinds comes with Loom
    a.LOST_REASON: frozenset(a.LOST_REASON.values),  # a healthy process loses nothing
}
"""Attribute of a metric → values of its closed set that a run in good health cannot show."""


def reachable(attribute: Attribute) -> tuple[str, ...]:
    """The values of a closed set that must be seen before a metric counts as covered."""
    never = UNREACHABLE.get(attribute, frozenset())
    return tuple(value for value in attribute.values if value not in never)
