"""Loom: everything wired together, started in order, and left in order.

async with Loom.from_environment() as loom:
    loom.agents.create(AgentConfig("planner", topics=("trips.*",)), Planner())
    await loom.serve()
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Self

from loom.contract.environment import MODEL
from loom.errors import LoomRuntimeError, Problem
from loom.runtime import generation, logs
from loom.runtime.agent import AgentRuntime
from loom.runtime.broker import ActionBroker
from loom.runtime.bus import EventBus
from loom.runtime.capability import Capability
from loom.runtime.configuration import Configuration
from loom.runtime.mcp import Manager
from loom.runtime.orchestrator import BrokerTools, Endpoint, Orchestrator
from loom.runtime.router import Router
from loom.telemetry import Options, Telemetry, setup

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What asks a process to end."""

_Handler = Callable[[int, FrameType | None], Any] | int | None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What runs."""

    telemetry: Telemetry
    bus: EventBus
    broker: ActionBroker
    router: Router
    servers: Manager
    orchestrator: Orchestrator | None
    agents: AgentRuntime


class Loom:
    """Enter it once. Leaving drains the agents, ends MCP servers and connections, and flushes telemetry.

    SIGINT and SIGTERM end the `async with` block as if its body had returned, so that all of that happens
    and the program goes on behind the block, where `stopped_by` says which signal it was. A second signal
    cuts the draining short. A task that swallows its cancellations is left behind and logged; `asyncio.run`
    waits for it all the same, so that a program that has to end calls `os._exit` behind the block. While
    Loom is still starting, a signal ends the program: SystemExit, 128 + n.
    """

    def __init__(
        self, configuration: Configuration | None = None, telemetry: Telemetry | None = None
    ) -> None:
        """Nothing is started. A telemetry that is passed in stays open: it belongs to whoever made it."""
        self.configuration = configuration or Configuration()
        self.stopped_by: signal.Signals | None = None
        """The signal that ended the block."""
        self.arrived = True
        """After leaving: whether the collector acknowledged everything."""
        self._given = telemetry
        self._entered = False
        self._parts: _Parts | None = None
        self._stack = AsyncExitStack()
        self._task: asyncio.Task[Any] | None = None
        self._cancels = 0
        self._stopping = asyncio.Event()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """As `os.environ` says, or another; EnvironmentValueError names everything that is malformed."""
        return cls(Configuration.from_environ(environ))

    @property
    def telemetry(self) -> Telemetry:
        """What all parts record with."""
        return self._running.telemetry

    @property
    def bus(self) -> EventBus:
        """The event bus."""
        return self._running.bus

    @property
    def broker(self) -> ActionBroker:
        """The action broker."""
        return self._running.broker

    @property
    def router(self) -> Router:
        """The router."""
        return self._running.router

    @property
    def agents(self) -> AgentRuntime:
        """The agent runtime."""
        return self._running.agents

    @property
    def servers(self) -> Manager:
        """The MCP manager."""
        return self._running.servers

    @property
    def orchestrator(self) -> Orchestrator:
        """The tool orchestrator; LoomRuntimeError when the configuration names no model."""
        if self._running.orchestrator is None:
            raise LoomRuntimeError(Problem("there is no language model", hint=f"set {MODEL.name}"))
        return self._running.orchestrator

    async def serve(self) -> None:
        """Wait until a signal ends the block or somebody calls `stop`."""
        await self._stopping.wait()

    def stop(self) -> None:
        """Let `serve` return."""
        self._stopping.set()

    async def __aenter__(self) -> Self:
        """Start everything; when a part cannot be started, those before it are closed again."""
        if self._entered:
            raise LoomRuntimeError(Problem("this Loom was started before", hint="make another one"))
        self._entered = True
        self._task = asyncio.current_task()
        try:
            async with AsyncExitStack() as stack:
                self._parts = await self._open(stack)
                self._stack = stack.pop_all()
        except asyncio.CancelledError:
            if self.stopped_by is None:
                raise
            raise SystemExit(128 + self.stopped_by) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Close everything, the last first; swallows exactly the cancellation that a signal caused."""
        own = self._cancels > 0 and kind is asyncio.CancelledError
        if self._cancels and not own:
            with suppress(asyncio.CancelledError):  # the body was done before the signal reached it
                await asyncio.sleep(0)
        self._forgive()
        try:
            await self._stack.__aexit__(*((None, None, None) if own else (kind, error, trace)))
        except asyncio.CancelledError:
            if not self._cancels:
                raise
            self._forgive()
        finally:
            self._parts = None
        return own

    @property
    def _running(self) -> _Parts:
        if self._parts is None:
            raise LoomRuntimeError(Problem("Loom is not running", hint="use it inside `async with`"))
        return self._parts

    async def _open(self, stack: AsyncExitStack) -> _Parts:
        chosen = self.configuration
        if chosen.logs is not None:
            stack.callback(logs.start(chosen.logs))
        if chosen.signals:
            stack.enter_context(self._listen())
        telemetry = self._given or setup(chosen.telemetry, Options(globally=True))
        if self._given is None:
            stack.push_async_callback(self._flush, telemetry)
        bus = await stack.enter_async_context(EventBus(telemetry, chosen.bus))
        broker = await stack.enter_async_context(ActionBroker(telemetry, chosen.broker))
        servers = await stack.enter_async_context(Manager(broker, telemetry, chosen.mcp))
        await servers.add_servers(chosen.servers)
        orchestrator = await self._connect(stack, broker, telemetry)
        router = Router(chosen.landscape, chosen.estimator, telemetry, chosen.policy)
        agents = AgentRuntime(bus, broker, router, telemetry, chosen.agents)
        await stack.enter_async_context(agents)
        return _Parts(telemetry, bus, broker, router, servers, orchestrator, agents)

    async def _connect(
        self, stack: AsyncExitStack, broker: ActionBroker, telemetry: Telemetry
    ) -> Orchestrator | None:
        """The orchestrator, and the model as a capability of the broker."""
        chosen = self.configuration
        if chosen.model is None:
            return None
        model = await stack.enter_async_context(Endpoint(chosen.model))
        content = chosen.telemetry.capture_content
        tools = BrokerTools(broker, _is_tool)
        orchestrator = Orchestrator(model, tools, telemetry, chosen.runs, capture_content=content)
        generation.offer(broker, orchestrator)
        return orchestrator

    async def _flush(self, telemetry: Telemetry) -> None:
        self.arrived = False  # what it stays when a signal cuts this short
        self.arrived = await telemetry.close()

    def _listen(self) -> ExitStack:
        """Handle signals until the stack is closed; elsewhere than in the main thread there are none."""
        stack = ExitStack()
        if threading.current_thread() is not threading.main_thread():
            return stack
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            before: _Handler = signal.getsignal(number)
            loop.add_signal_handler(number, self._hear, number)
            stack.callback(_restore, loop, number, before)
        return stack

    def _hear(self, number: signal.Signals) -> None:
        self.stopped_by = self.stopped_by or number
        self._stopping.set()
        if self._task is not None:
            self._cancels += 1
            self._task.cancel()

    def _forgive(self) -> None:
        """Take back the cancellations that signals asked for."""
        while self._cancels and self._task is not None:
            self._cancels -= 1
            self._task.uncancel()


def _is_tool(capability: Capability) -> bool:
    """A model must not start runs of itself."""
    return capability.name != generation.NAME


def _restore(loop: asyncio.AbstractEventLoop, number: signal.Signals, before: _Handler) -> None:
    loop.remove_signal_handler(number)
    if before is not None:
        signal.signal(number, before)
