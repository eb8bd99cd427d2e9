"""Sessions of the MCP SDK. It is imported late: the SDK takes more than half a second."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import Any

import anyio
from mcp import Client, MCPError
from mcp.client.subscriptions import SubscriptionLost
from mcp.types import METHOD_NOT_FOUND, Implementation, ToolListChangedNotification
from mcp.types import Tool as SdkTool
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from opentelemetry.trace import get_current_span

from loom.runtime.mcp import failure
from loom.runtime.mcp.child import child_environment
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig, Stdio
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.http import open_http
from loom.runtime.mcp.result import ToolResult, translate
from loom.runtime.mcp.session import Hooks, Session, Tool
from loom.runtime.mcp.stdio import Watch, open_stdio
from loom.runtime.mcp.untraced import untraced
from loom.telemetry.tracing import is_shared
from loom.telemetry.version import VERSION

MOST_PAGES = 1000
"""Pages of a tool list; a server that never ends its list must not hang us."""

LISTEN_PAUSE = 5.0
"""Seconds before a lost subscription is opened again."""


@asynccontextmanager
async def open_session(
    config: ServerConfig, hooks: Hooks, environ: Mapping[str, str]
) -> AsyncIterator[Session]:
    """Connect, negotiate, and follow the server's announcements; ServerError when that fails or ends."""
    try:
        async with _client(config, hooks, environ) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(_follow, client, hooks)
            try:
                yield SdkSession(config.name, client, hooks)
            finally:
                tasks.cancel_scope.cancel()
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises becomes one error of ours
        raise failure.of_connection(error, config, hooks.evidence) from None


def _client(config: ServerConfig, hooks: Hooks, environ: Mapping[str, str]) -> Client:
    async def hear(message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            hooks.on_changed()

    return Client(
        _transport(config, hooks, environ),
        message_handler=hear,
        client_info=Implementation(name="loom", version=VERSION),
        cache=None,
    )


def _transport(
    config: ServerConfig, hooks: Hooks, environ: Mapping[str, str]
) -> AbstractAsyncContextManager[Any]:
    endpoint = config.endpoint
    if isinstance(endpoint, Stdio):
        environment = child_environment(endpoint, environ)
        return open_stdio(endpoint, config.limits, environment, Watch(hooks.evidence, hooks.on_lost))
    return open_http(endpoint, config.limits, hooks.evidence)


async def _follow(client: Client, hooks: Hooks) -> None:
    """Since 2026-07-28 changes are told to subscribers only; before, to everybody."""
    tools = client.server_capabilities.tools
    if client.protocol_version not in MODERN_PROTOCOL_VERSIONS or not (tools and tools.list_changed):
        return
    with untraced():
        while True:
            with suppress(SubscriptionLost, MCPError):
                async with client.listen(tools_list_changed=True) as subscription:
                    hooks.on_changed()  # what changed before the subscription began
                    async for _ in subscription:
                        hooks.on_changed()
            hooks.on_doubt()
            await anyio.sleep(LISTEN_PAUSE)


class SdkSession:
    """A session over the SDK's client."""

    def __init__(self, server: str, client: Client, hooks: Hooks) -> None:
        """The client is open already."""
        self._server = server
        self._client = client
        self._hooks = hooks

    @property
    def protocol_version(self) -> str:
        """The MCP version that was negotiated."""
        return self._client.protocol_version

    async def list_tools(self) -> tuple[Tool, ...]:
        """Every tool on every page."""
        if self._client.server_capabilities.tools is None:
            return ()
        tools: list[SdkTool] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            with self._translating():
                page = await self._client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return tuple(_tool(tool) for tool in tools)
        raise ServerError(Code.PROTOCOL_ERROR, f"{self._server} has a list of tools that does not end")

    async def call_tool(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Call a tool; the current span's context travels along."""
        shared = is_shared(get_current_span().get_span_context())
        with untraced() if shared else nullcontext(), self._translating():
            return translate(await self._client.call_tool(name, dict(arguments)))

    async def check(self) -> None:
        """A ping, or what has replaced it."""
        session = self._client.session
        with self._translating():
            try:
                if self.protocol_version in MODERN_PROTOCOL_VERSIONS:
                    await session.send_discover(self.protocol_version)
                else:
                    await session.send_ping()
            except MCPError as error:
                # A server that does not know the question is alive.
                if error.code != METHOD_NOT_FOUND:
                    raise

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises becomes one error of ours
            fault = failure.of_call(error, self._server)
            self._report(fault)
            raise fault from None

    def _report(self, fault: ServerError) -> None:
        if fault.code is Code.SERVER_UNAVAILABLE or fault.detail == failure.CLOSED:
            self._hooks.on_lost()
        elif fault.code in {Code.CONNECTION_LOST, Code.PROTOCOL_ERROR}:
            self._hooks.on_doubt()


def _tool(tool: SdkTool) -> Tool:
    return Tool(tool.name, tool.description or "", tool.input_schema, tool.output_schema)
