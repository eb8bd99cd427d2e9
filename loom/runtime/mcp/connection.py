"""One server: the task that owns its connection and connects again when it ends."""

import asyncio
import logging
from contextlib import AsyncExitStack

from opentelemetry.context import Context, attach, detach, get_current

from loom.contract import attributes as a
from loom.contract.spans import mcp_manager as spans
from loom.runtime.mcp.attempt import NOWHERE, Attempt, tracing
from loom.runtime.mcp.calls import Calls
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.leash import Leash
from loom.runtime.mcp.metrics import ServerMetrics
from loom.runtime.mcp.parts import Parts
from loom.runtime.mcp.service import Service
from loom.runtime.mcp.session import Session, Tool
from loom.runtime.mcp.signals import Signals
from loom.runtime.mcp.status import ServerStatus, State
from loom.runtime.mcp.toolbox import Toolbox

_logger = logging.getLogger(__name__)


class Connection:
    """Everything of one server. `run` is its owner task; the other methods are called from anywhere."""

    def __init__(self, config: ServerConfig, parts: Parts, *, keep_trying: bool) -> None:
        """`keep_trying`: whether to go on when the very first attempt fails."""
        self.config = config
        self.finished = asyncio.Event()
        """Set when the owner task has nothing left to do."""
        self._parts = parts
        self._keep_trying = keep_trying
        self._metrics = ServerMetrics(parts.telemetry, config.name)
        self._signals = Signals()
        self._calls = Calls(config, self._doubt)
        self._toolbox = Toolbox(config.name, parts.register, self._calls.invoke, self._metrics)
        self._leash = Leash(config.limits.connect_timeout)
        self._nudge = asyncio.Event()
        self._requested: Attempt | None = None
        self._stopping = False
        self._defect = ""
        """Type of the exception that ended the owner task, which ought not to happen."""
        self._state = State.CONNECTING
        self._version = ""
        self._trace: Context = NOWHERE
        self._failures = 0
        self._setbacks = 0

    @property
    def status(self) -> ServerStatus:
        """How the server is now."""
        connected = self._state is State.CONNECTED
        return ServerStatus(
            self.config.name,
            self.config.endpoint.transport,
            self._state,
            self._version if connected else "",
            self._toolbox.names,
            self._failures,
            self._calls.outage,
            self._signals.evidence.pid if connected else 0,
        )

    @property
    def _closed(self) -> ServerError:
        """Why nothing can be had of the server any more."""
        why = f"was given up after {self._defect}" if self._defect else "was removed"
        return ServerError(Code.CLOSED, f"{self.config.name} {why}")

    def stop(self) -> None:
        """Take the tools back and end the connection; `finished` is set when that is done."""
        self._stopping = True
        self._calls.session = None
        self._toolbox.clear()
        self._leash.pull()
        self._nudge.set()

    async def reconnect(self, context: Context) -> None:
        """End the connection and try once to connect; ServerError when that fails."""
        if self._stopping or self.finished.is_set():
            raise self._closed
        if self._requested is None:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._requested = Attempt(context=context, waiting=waiting)
        request = self._requested
        self._leash.pull()
        self._nudge.set()
        if request.waiting is not None:
            await asyncio.shield(request.waiting)

    async def run(self, first: Attempt) -> None:
        """Connect, and connect again, until stopped. A defect ends this server, never the others."""
        attempt: Attempt | None = first
        try:
            while attempt is not None:
                await self._try(attempt)
                attempt = await self._next(attempt)
        except Exception as error:  # the manager's other servers must not go down with this one
            _logger.exception("MCP server %s is given up", self.config.name)
            self._defect = type(error).__name__
            self._calls.outage = f"{Code.CLOSED}: {self._closed.message}"
        finally:
            self._toolbox.clear()
            self._state = State.CLOSED
            for waiting in (first, attempt, self._requested):
                if waiting is not None:
                    waiting.fail(self._closed)
            self.finished.set()
            self._parts.announce()

    async def _try(self, attempt: Attempt) -> None:
        """One attempt, and the whole connection if it succeeds."""
        if self._stopping:
            return
        self._signals = Signals()
        self._leash = Leash(self.config.limits.connect_timeout)
        self._state = State.CONNECTING
        self._parts.announce()
        fault: ServerError | None = None
        service: Service | None = None
        try:
            async with self._leash, AsyncExitStack() as stack:
                try:
                    session = await self._establish(stack, attempt)
                    service = self._go_up(session, attempt)
                    fault = await service.last(self._parts.pause, self._toolbox, self._follow)
                finally:
                    self._leash.let_go()
                    if service is not None:
                        self._go_down()
        except ServerError as error:
            fault = fault or error
        self._conclude(attempt, service, fault or ServerError(Code.CLOSED, f"{self.config.name} was cut off"))

    async def _establish(self, stack: AsyncExitStack, attempt: Attempt) -> Session:
        """Connect, list, register."""
        parts = self._parts
        with tracing(parts.telemetry, attempt.span, self.config, attempt.context) as span:
            try:
                session = await stack.enter_async_context(parts.connect(self.config, self._signals.hooks))
                listed = self._toolbox.check(await session.list_tools())
            except asyncio.CancelledError:
                fault = self._interruption()
                if fault is None:
                    raise
                raise fault from None
            self._version = session.protocol_version
            self._trace = get_current()
            span.set_attribute(a.PROTOCOL_VERSION.name, self._version)
            span.set_attribute(a.TOOLS.name, len(listed))
            self._publish(listed)
        return session

    def _interruption(self) -> ServerError | None:
        """Why the leash ended an attempt; None when it did not."""
        name, evidence = self.config.name, self._signals.evidence
        if self._leash.pulled:
            return ServerError(Code.CLOSED, f"{name} was removed or reconnected meanwhile")
        if not self._leash.expired:
            return None
        seconds = f"{self.config.limits.connect_timeout:g} s"
        if evidence.garbage:
            message = f"{name} wrote {evidence.garbage} lines that are no JSON-RPC and no answer in {seconds}"
            return ServerError(Code.PROTOCOL_ERROR, message)
        return ServerError(Code.TIMEOUT, f"{name} could not be connected within {seconds}")

    def _go_up(self, session: Session, attempt: Attempt) -> Service:
        self._leash.loosen()
        self._calls.session = session
        self._calls.outage = ""
        self._state = State.CONNECTED
        self._failures = 0
        self._metrics.connect()
        if not attempt.first:
            self._metrics.attempt(ok=True)
        attempt.succeed()
        self._parts.announce()
        tools = len(self._toolbox.names)
        _logger.info("MCP server %s: %d tools (MCP %s)", self.config.name, tools, self._version)
        return Service(self.config, session, self._signals, self._calls)

    def _go_down(self) -> None:
        """From now on calls fail at once, however long the server takes to be gone."""
        self._calls.session = None
        self._calls.outage = f"{Code.CONNECTION_LOST}: {self.config.name} went away"
        self._state = State.UNAVAILABLE
        self._metrics.disconnect()
        self._parts.announce()

    def _conclude(self, attempt: Attempt, service: Service | None, fault: ServerError) -> None:
        """The attempt failed, or its connection is over."""
        self._state = State.UNAVAILABLE
        self._calls.outage = f"{fault.code}: {fault.message}"
        if service is None:
            self._failures += 1
            if not attempt.first:
                self._metrics.attempt(ok=False)
            attempt.fail(fault)
        self._parts.announce()
        self._setbacks = 1 if service is not None and service.stable else self._setbacks + 1
        if not self._leash.pulled:
            self._complain(fault)

    def _complain(self, fault: ServerError) -> None:
        evidence = self._signals.evidence
        told = [fault.message]
        if evidence.end:
            told.append(f"its process {evidence.end}")
        if evidence.stderr:
            told.append(f"last on stderr: {evidence.last_words}")
        _logger.warning("MCP server %s is unavailable: %s", self.config.name, "; ".join(told))

    async def _next(self, attempt: Attempt) -> Attempt | None:
        """The next attempt: asked for, or after a pause; None when there shall be none."""
        given_up = attempt.first and self._failures and not self._keep_trying
        if not (self._stopping or self._requested or given_up):
            await self._parts.pause(
                self._nudge, self._parts.backoff.delay(self._setbacks, self._parts.random)
            )
        self._nudge.clear()
        if self._stopping or given_up:
            return None
        requested, self._requested = self._requested, None
        return requested or Attempt()

    def _publish(self, listed: dict[str, Tool]) -> None:
        telemetry = self._parts.telemetry
        with tracing(telemetry, spans.REGISTER_TOOLS, self.config) as span:
            span.set_attribute(a.PROTOCOL_VERSION.name, self._version)
            span.set_attribute(a.TOOLS.name, len(listed))
            self._toolbox.replace(listed)
        self._parts.announce()

    def _follow(self, listed: dict[str, Tool]) -> None:
        """Register a changed listing, in the trace in which the server was connected."""
        token = attach(self._trace)
        try:
            self._publish(listed)
        finally:
            detach(token)

    def _doubt(self) -> None:
        self._signals.suspect()
