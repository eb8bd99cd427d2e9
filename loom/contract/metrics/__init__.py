"""Every metric of the contract, one module a component."""

from loom.contract.metrics import (
    action_broker,
    agent,
    agent_runtime,
    event_bus,
    gen_ai,
    mcp_manager,
    router,
    telemetry,
    tool_orchestrator,
)

ALL = (
    *event_bus.ALL,
    *action_broker.ALL,
    *router.ALL,
    *agent_runtime.ALL,
    *agent.ALL,
    *mcp_manager.ALL,
    *tool_orchestrator.ALL,
    *gen_ai.ALL,
    *telemetry.ALL,
)

__all__ = [
    "ALL",
    "action_broker",
    "agent",
    "agent_runtime",
    "event_bus",
    "gen_ai",
    "mcp_manager",
    "router",
    "telemetry",
    "tool_orchestrator",
]
