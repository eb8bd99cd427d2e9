"""MCP servers in memory: for tests of whatever uses the manager, and for programs that try it out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.result import ToolResult
from loom.runtime.mcp.session import Hooks, Session, Tool

Handler = Callable[[str, Mapping[str, Any]], Awaitable[ToolResult]]
"""Serves a call: the tool's name, the arguments."""


async def echo(name: str, arguments: Mapping[str, Any]) -> ToolResult:
    """Answer with what was asked."""
    return ToolResult(f"{name} {dict(arguments)}")


class FakeServer:
    """One server: up or down, with tools that may change."""

    def __init__(self, tools: Iterable[Tool] = (), handler: Handler = echo) -> None:
        """It is up."""
        self.up = True
        self.tools = tuple(tools)
        self.handler = handler
        self.healthy = True
        """Whether it answers health checks."""
        self.sessions: set[FakeSession] = set()
        """The connections it has now."""

    def kill(self) -> None:
        """Go down; everybody notices at once."""
        self.up = False
        for session in self.sessions:
            session.break_off()

    def revive(self) -> None:
        """Come back: who tries to connect succeeds."""
        self.up = True

    def change(self, tools: Iterable[Tool]) -> None:
        """List other tools from now on, and tell so."""
        self.tools = tuple(tools)
        for session in self.sessions:
            session.hooks.on_changed()


class FakeSession:
    """One connection to a `FakeServer`."""

    def __init__(self, server: FakeServer, hooks: Hooks) -> None:
        """Open."""
        self.hooks = hooks
        self._server = server
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def protocol_version(self) -> str:
        """No version of MCP."""
        return "fake"

    def break_off(self) -> None:
        """Let every call fail from now on."""
        if not self._broken.done():
            self._broken.set_result(None)
        self.hooks.on_lost()

    async def list_tools(self) -> tuple[Tool, ...]:
        """What the server lists now."""
        self._check()
        return self._server.tools

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """What the handler answers, unless the connection breaks meanwhile."""
        self._check()
        async with asyncio.TaskGroup() as group:
            call = group.create_task(_collect(self._server.handler(name, arguments)))
            await asyncio.wait((call, self._broken), return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                call.cancel()
        self._check()
        return call.result()

    async def check(self) -> None:
        """A sign of life, or none for ever."""
        self._check()
        if not self._server.healthy:
            # Not awaited directly: cancelling that would break the connection.
            await asyncio.wait((self._broken,))
            self._check()

    def _check(self) -> None:
        if self._broken.done():
            raise ServerError(Code.CONNECTION_LOST, "the fake server went down")


class FakeNetwork:
    """Servers by name; `connect` is what the manager takes."""

    def __init__(self, servers: Mapping[str, FakeServer]) -> None:
        """Names as in the configuration."""
        self.servers = servers

    @asynccontextmanager
    async def connect(self, config: ServerConfig, hooks: Hooks) -> AsyncIterator[Session]:
        """A `Connect`."""
        server = self.servers.get(config.name)
        if server is None or not server.up:
            raise ServerError(Code.CONNECT_FAILED, f"{config.name}: nobody answers")
        session = FakeSession(server, hooks)
        server.sessions.add(session)
        try:
            yield session
        finally:
            session.break_off()
            server.sessions.discard(session)


async def _collect(answer: Awaitable[ToolResult]) -> ToolResult:
    return await answer
