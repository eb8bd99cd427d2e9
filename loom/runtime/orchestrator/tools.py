"""The seam to tools: what the orchestrator needs of whoever runs them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from loom.runtime.call import ErrorCode, Status


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool under its own name, `server:tool` when it comes from MCP."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of its arguments; empty when nothing is known."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of one tool."""

    id: str
    """Unique in the process: two calls with one id are one."""
    tool: str
    arguments: Mapping[str, Any]
    timeout: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a call ended. `message` and `output` are for the model only, never for spans or logs."""

    status: Status
    output: object = None
    code: str = ""
    """Short code of the error; empty when it is ok."""
    message: str = ""
    """What went wrong, for the model."""

    @property
    def ok(self) -> bool:
        """Whether there is an output."""
        return self.status is Status.OK


class Tools(Protocol):
    """Lists tools and calls them."""

    async def discover(self) -> Sequence[Tool]:
        """Every tool a run may use, in any order."""

    async def call(self, invocation: Invocation) -> ToolResult:
        """The result, within the invocation's timeout; errors are returned, not raised."""


class FakeTools:
    """`Tools` from plain async functions: name → function of the arguments. What one raises is its error."""

    def __init__(self, functions: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[object]]]) -> None:
        """Every call is kept in `invocations`."""
        self._functions = functions
        self.invocations: list[Invocation] = []

    async def discover(self) -> Sequence[Tool]:
        """A tool for each function."""
        return [
            Tool(name, (function.__doc__ or "").strip(), {"type": "object"})
            for name, function in self._functions.items()
        ]

    async def call(self, invocation: Invocation) -> ToolResult:
        """Call the function."""
        self.invocations.append(invocation)
        function = self._functions.get(invocation.tool)
        if function is None:
            message = f"there is no {invocation.tool}"
            return ToolResult(Status.NOT_FOUND, code=ErrorCode.NOT_FOUND, message=message)
        try:
            async with asyncio.timeout(invocation.timeout):
                return ToolResult(Status.OK, await function(invocation.arguments))
        except TimeoutError:
            return ToolResult(Status.TIMEOUT, code=ErrorCode.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever a fake raises is an error of its tool
            return ToolResult(Status.ERROR, code=type(error).__name__, message=str(error))
