"""Instrumentation scopes: one a component, for its meter and its tracer."""

EVENT_BUS = "loom.event_bus"
ACTION_BROKER = "loom.action_broker"
ROUTER = "loom.router"
AGENT_RUNTIME = "loom.agent_runtime"
AGENT = "loom.agent"
MCP_MANAGER = "loom.mcp_manager"
TOOL_ORCHESTRATOR = "loom.tool_orchestrator"
TELEMETRY = "loom.telemetry"

TITLES = {
    EVENT_BUS: "Event Bus",
    ACTION_BROKER: "Action Broker",
    ROUTER: "Router",
    AGENT_RUNTIME: "Agent Runtime",
    AGENT: "Agent",
    MCP_MANAGER: "MCP Manager",
    TOOL_ORCHESTRATOR: "Tool Orchestrator",
    TELEMETRY: "Telemetry",
}
"""Scope → the component's name for people."""

ALL = tuple(TITLES)
