"""Calls of a server's tools: each ends in one result, whatever the server does."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from loom.runtime.call import Call, CallError, Result, Status
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.result import ToolResult
from loom.runtime.mcp.session import Session, Tool

OVERDUE = 0.9
"""Share of its deadline after which a call that was given up counts as one that the server let hang."""


class Calls:
    """Sends calls over the session of the moment, or refuses them at once when there is none."""

    def __init__(self, config: ServerConfig, on_overdue: Callable[[], None]) -> None:
        """`on_overdue` is called for each call that the server did not answer in time."""
        self._config = config
        self._on_overdue = on_overdue
        self.session: Session | None = None
        self.outage = ""
        """Why there is no session."""
        self.in_flight = 0

    async def invoke(self, tool: Tool, call: Call) -> Result:
        """Serve a call of the broker's, whose payload fits the tool's schema as far as that says anything."""
        try:
            answer = await self._ask(tool, _arguments(tool, call.payload), call)
        except ServerError as fault:
            return _failed(fault)
        if answer.is_error:
            message = answer.text or Code.TOOL_ERROR.advice
            return Result(Status.ERROR, answer, CallError(Code.TOOL_ERROR, message))
        return Result(Status.OK, answer)

    async def _ask(self, tool: Tool, arguments: Mapping[str, Any], call: Call) -> ToolResult:
        name = self._config.name
        if self.session is None:
            reason = f": {self.outage}" if self.outage else ""
            raise ServerError(Code.SERVER_UNAVAILABLE, f"{name} is not connected", reason.lstrip(": "))
        clock = asyncio.get_running_loop().time
        started = clock()
        self.in_flight += 1
        try:
            async with asyncio.timeout(self._config.limits.call_timeout):
                return await self.session.call_tool(tool.name, arguments)
        except TimeoutError:
            self._on_overdue()
            seconds = self._config.limits.call_timeout
            message = f"{name} did not answer {tool.name} within {seconds:g} s"
            raise ServerError(Code.TIMEOUT, message) from None
        except asyncio.CancelledError:
            # The broker's deadline, or somebody who changed their mind: only the first says something.
            if clock() - started >= OVERDUE * call.timeout:
                self._on_overdue()
            raise
        finally:
            self.in_flight -= 1


def _arguments(tool: Tool, payload: object) -> Mapping[str, Any]:
    """What MCP can carry, None counting as nothing; ServerError for anything else."""
    arguments = {} if payload is None else payload
    if isinstance(arguments, Mapping) and all(isinstance(key, str) for key in arguments):
        return arguments
    kind = type(arguments).__name__
    raise ServerError(Code.INVALID_ARGUMENTS, f"{tool.name} takes an object of arguments, not {kind}")


def _failed(fault: ServerError) -> Result:
    status = Status.TIMEOUT if fault.code is Code.TIMEOUT else Status.ERROR
    detail = f": {fault.detail}" if fault.detail else ""
    return Result.failed(fault.code, f"{fault.message}{detail} ({fault.code.advice})", status)
