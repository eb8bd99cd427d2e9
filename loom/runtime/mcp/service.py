"""An established connection: followed, checked, and told when it is over."""

import asyncio
import logging
from collections.abc import Callable

from loom.runtime.mcp.calls import Calls
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.pause import Pause
from loom.runtime.mcp.session import Session, Tool
from loom.runtime.mcp.signals import Signals
from loom.runtime.mcp.toolbox import Toolbox
from loom.runtime.mcp.untraced import untraced

_logger = logging.getLogger(__name__)

STRIKES = 3
"""Failed health checks in a row that end a server which works on calls; without calls one is enough."""

Publish = Callable[[dict[str, Tool]], None]
"""Registers a listing that differs from what is registered."""


class Service:
    """What the owner task does between connecting and the end of the connection."""

    def __init__(self, config: ServerConfig, session: Session, signals: Signals, calls: Calls) -> None:
        """The session is open, its tools are registered."""
        self._name = config.name
        self._limits = config.limits
        self._session = session
        self._signals = signals
        self._calls = calls
        self._strikes = 0
        self.stable = False
        """Whether it has lasted for one interval of health checks."""

    async def last(self, wait: Pause, toolbox: Toolbox, publish: Publish) -> ServerError:
        """Return why the connection is over; whoever ends it on purpose interrupts this."""
        signals = self._signals
        while True:
            due = not await wait(signals.wake, self._limits.health_interval)
            signals.wake.clear()
            self.stable = self.stable or due
            if signals.lost:
                return ServerError(Code.CONNECTION_LOST, f"{self._name} went away")
            if signals.changed:
                signals.changed = False
                await self._refresh(toolbox, publish)
            if (due and not self._calls.in_flight) or signals.doubt:
                signals.doubt = False
                fault = await self._check()
                if fault is not None:
                    return fault

    async def _refresh(self, toolbox: Toolbox, publish: Publish) -> None:
        """Follow the server's tools; a listing that cannot be used leaves everything as it is."""
        try:
            async with asyncio.timeout(self._limits.call_timeout):
                with untraced():
                    answer = await self._session.list_tools()
            listed = toolbox.check(answer)
            if toolbox.differs(listed.values()):
                publish(listed)
        except TimeoutError:
            self._signals.suspect()
        except ServerError as fault:
            _logger.warning(
                "MCP server %s changed its tools, but they stay as they were: %s", self._name, fault
            )

    async def _check(self) -> ServerError | None:
        """Ask for a sign of life; what to give the server up for, if anything."""
        try:
            async with asyncio.timeout(self._limits.health_timeout):
                with untraced():
                    await self._session.check()
        except TimeoutError:
            seconds = self._limits.health_timeout
            fault = ServerError(Code.TIMEOUT, f"{self._name} gave no sign of life within {seconds:g} s")
        except ServerError as error:
            fault = error
        else:
            self._strikes = 0
            return None
        self._strikes += 1
        # A server that does one thing at a time cannot answer while it works on a call.
        busy = self._calls.in_flight and not self._signals.lost
        return None if busy and self._strikes < STRIKES else fault
