"""Spans of the MCP manager."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind

ADD_SERVER = Span(
    "add_server",
    scopes.MCP_MANAGER,
    SpanKind.INTERNAL,
    "An MCP server connected and its tools registered.",
    (a.SERVER, a.TRANSPORT),
    optional=(a.PROTOCOL_VERSION, a.TOOLS),
)
REMOVE_SERVER = Span(
    "remove_server",
    scopes.MCP_MANAGER,
    SpanKind.INTERNAL,
    "An MCP server's tools unregistered and its connection closed.",
    (a.SERVER, a.TRANSPORT),
)
RECONNECT_SERVER = Span(
    "reconnect_server",
    scopes.MCP_MANAGER,
    SpanKind.INTERNAL,
    "One attempt to reconnect.",
    (a.SERVER, a.TRANSPORT),
    optional=(a.PROTOCOL_VERSION, a.TOOLS),
)
REGISTER_TOOLS = Span(
    "register_tools",
    scopes.MCP_MANAGER,
    SpanKind.INTERNAL,
    "The tools of a server registered as capabilities.",
    (a.SERVER, a.TRANSPORT, a.PROTOCOL_VERSION, a.TOOLS),
    parents=(ADD_SERVER.key, RECONNECT_SERVER.key),
)

ALL = (ADD_SERVER, REMOVE_SERVER, RECONNECT_SERVER, REGISTER_TOOLS)
