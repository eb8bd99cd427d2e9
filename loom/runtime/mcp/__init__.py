"""MCP servers whose tools are capabilities of the broker."""

from loom.runtime.mcp.backoff import Backoff
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import Limits, ServerConfig, Stdio, StreamableHttp
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.load import from_environ
from loom.runtime.mcp.manager import Manager, Options, over_sdk
from loom.runtime.mcp.result import ToolResult
from loom.runtime.mcp.status import ServerStatus, State

__all__ = [
    "Backoff",
    "Code",
    "Limits",
    "Manager",
    "Options",
    "ServerConfig",
    "ServerError",
    "ServerStatus",
    "State",
    "Stdio",
    "StreamableHttp",
    "ToolResult",
    "from_environ",
    "over_sdk",
]
