"""The tools of one server, registered as capabilities `server:tool`."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from loom.errors import LoomRuntimeError
from loom.runtime.call import Call, Result
from loom.runtime.capability import Capability, Provider, ProviderType
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.metrics import ServerMetrics
from loom.runtime.mcp.session import Tool

VERSION = "0.1.0"
"""Of every capability that comes from MCP: the protocol has no versions of tools."""

SEPARATOR = ":"


class Register(Protocol):
    """What the manager needs of the action broker."""

    def register(self, capability: Capability, provider: Provider) -> None:
        """Offer a capability, or replace it; LoomRuntimeError when that is impossible."""

    def unregister(self, name: str, version: str = "") -> int:
        """Take it back; how many there were."""


Invoke = Callable[[Tool, Call], Awaitable[Result]]


class Toolbox:
    """What is registered for one server now."""

    def __init__(self, server: str, register: Register, invoke: Invoke, metrics: ServerMetrics) -> None:
        """Nothing is registered; `invoke` serves every call."""
        self._server = server
        self._register = register
        self._invoke = invoke
        self._metrics = metrics
        self._tools: dict[str, Tool] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The tools that are registered, without the server's name."""
        return tuple(self._tools)

    def differs(self, listed: Iterable[Tool]) -> bool:
        """Whether a listing says something else than what is registered."""
        return {tool.name: tool for tool in listed} != self._tools

    def check(self, listed: Iterable[Tool]) -> dict[str, Tool]:
        """A listing by name; ServerError when it cannot be registered, and then nothing has changed."""
        listed = tuple(listed)
        repeated = [name for name, count in Counter(tool.name for tool in listed).items() if count > 1]
        if repeated:
            shown = ", ".join(repr(name[:80]) for name in repeated[:5])
            raise ServerError(Code.DUPLICATE_TOOL, f"{self._server} lists more than one tool named {shown}")
        for tool in listed:
            self._describe(tool)
        return {tool.name: tool for tool in listed}

    def replace(self, tools: Mapping[str, Tool]) -> None:
        """Register what is new or changed, take back what is gone; what stays the same is left alone."""
        for name in [name for name in self._tools if name not in tools]:
            self._remove(name)
        for name, tool in tools.items():
            if self._tools.get(name) != tool:
                self._add(tool)

    def clear(self) -> None:
        """Take everything back."""
        self.replace({})

    def _add(self, tool: Tool) -> None:
        try:
            self._register.register(self._describe(tool), _provider(self._invoke, tool))
        except LoomRuntimeError as error:
            raise ServerError(Code.CLOSED, f"{self._server}: {error}") from None
        self._metrics.change_tools(tool.name not in self._tools)
        self._tools[tool.name] = tool

    def _remove(self, name: str) -> None:
        self._register.unregister(f"{self._server}{SEPARATOR}{name}", VERSION)
        del self._tools[name]
        self._metrics.change_tools(-1)

    def _describe(self, tool: Tool) -> Capability:
        try:
            return Capability(
                f"{self._server}{SEPARATOR}{tool.name}",
                VERSION,
                ProviderType.MCP,
                tool.description,
                tool.input_schema,
                {"server": self._server, "tool": tool.name},
            )
        except LoomRuntimeError:
            message = f"{self._server} lists a tool whose name cannot be used: {tool.name[:80]!r}"
            raise ServerError(Code.PROTOCOL_ERROR, message) from None


def _provider(invoke: Invoke, tool: Tool) -> Provider:
    async def provide(call: Call) -> Result:
        return await invoke(tool, call)

    return provide
