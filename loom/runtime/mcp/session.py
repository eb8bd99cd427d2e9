"""The seam to a server: what the manager needs of a connection, whoever makes it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.evidence import Evidence
from loom.runtime.mcp.result import ToolResult

Schema = Mapping[str, Any]
"""A JSON Schema."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as its server lists it."""

    name: str
    description: str = ""
    input_schema: Schema = field(default_factory=lambda: {"type": "object"})
    output_schema: Schema | None = None
    """None when the server promises nothing."""


class Session(Protocol):
    """An established connection. Every method raises ServerError, and may be called from any task."""

    @property
    def protocol_version(self) -> str:
        """The MCP version that was negotiated."""

    async def list_tools(self) -> tuple[Tool, ...]:
        """Every tool, in the server's order; names may repeat, since that is the server's mistake to make."""

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Call a tool; whoever calls sets the deadline, and cancelling tells the server."""

    async def check(self) -> None:
        """Ask for a sign of life."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a session tells by itself. Both are cheap, may be called often, and from any task."""

    evidence: Evidence
    on_lost: Callable[[], None]
    """The connection cannot be used any more."""
    on_changed: Callable[[], None]
    """The server's tools may have changed."""
    on_doubt: Callable[[], None]
    """Something odd happened: a health check is due."""


class Connect(Protocol):
    """Opens sessions. One task enters and leaves the block; it raises ServerError when it cannot open."""

    def __call__(self, config: ServerConfig, hooks: Hooks) -> AbstractAsyncContextManager[Session]:
        """A session for a `async with` block; no process and no task outlives the block."""
