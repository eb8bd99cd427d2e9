"""Every span of the contract, one module a component."""

from loom.contract.spans import (
    action_broker,
    agent,
    agent_runtime,
    event_bus,
    mcp_manager,
    router,
    tool_orchestrator,
)

ALL = (
    *event_bus.ALL,
    *agent.ALL,
    *router.ALL,
    *action_broker.ALL,
    *agent_runtime.ALL,
    *mcp_manager.ALL,
    *tool_orchestrator.ALL,
)

__all__ = [
    "ALL",
    "action_broker",
    "agent",
    "agent_runtime",
    "event_bus",
    "mcp_manager",
    "router",
    "tool_orchestrator",
]
