"""Metrics of the MCP manager."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metric import Kind, Metric

SERVERS_ACTIVE = Metric(
    "loom.mcp_manager.servers_active",
    Kind.UP_DOWN_COUNTER,
    "{server}",
    "MCP servers connected now.",
    scopes.MCP_MANAGER,
    documented=True,
)
SERVERS_CONNECTED = Metric(
    "loom.mcp_manager.servers_connected",
    Kind.COUNTER,
    "{server}",
    "Connections established, reconnections included.",
    scopes.MCP_MANAGER,
    (a.SERVER,),
)
SERVERS_DISCONNECTED = Metric(
    "loom.mcp_manager.servers_disconnected",
    Kind.COUNTER,
    "{server}",
    "Connections ended, on purpose or not.",
    scopes.MCP_MANAGER,
    (a.SERVER,),
)
TOOLS_REGISTERED = Metric(
    "loom.mcp_manager.tools_registered",
    Kind.GAUGE,
    "{tool}",
    "Tools registered now; 0 when the server is gone.",
    scopes.MCP_MANAGER,
    (a.SERVER,),
    documented=True,
)
RECONNECTIONS = Metric(
    "loom.mcp_manager.reconnections_total",
    Kind.COUNTER,
    "{attempt}",
    "Attempts to reconnect, by outcome.",
    scopes.MCP_MANAGER,
    (a.SERVER, a.ATTEMPT_OUTCOME),
    documented=True,
)

ALL = (SERVERS_ACTIVE, SERVERS_CONNECTED, SERVERS_DISCONNECTED, TOOLS_REGISTERED, RECONNECTIONS)
