"""One agent as the runtime keeps it: its subscriptions, the tasks that read them, and its supervisor."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter_ns

from opentelemetry.context import Context, attach

from loom.runtime.agent.agent import Agent, Setup, Teardown
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.lull import Lull
from loom.runtime.agent.options import Surroundings
from loom.runtime.agent.processing import Processor
from loom.runtime.agent.restart import Restarts
from loom.runtime.agent.turns import Turns
from loom.runtime.agent.watch import Watch
from loom.runtime.crew import Crew
from loom.runtime.envelope import Envelope
from loom.runtime.subscription import Subscription
from loom.telemetry.family import NANOSECONDS

logger = logging.getLogger("loom.agent_runtime")


class Member:
    """Runs one agent in tasks of a crew.

    An agent crashes when `setup` fails, when its handler raises `Crash`, and when too many events in a row
    fail, if its configuration says so. Then what is being handled is finished, the agent is torn down and,
    after a pause, set up again; its events wait for that. Past the limit of restarts it is buried.
    """

    def __init__(
        self,
        config: AgentConfig,
        agent: Agent,
        surroundings: Surroundings,
        lull: Lull,
        bury: "Callable[[Member, BaseException], None]",
    ) -> None:
        """`lull` is told of events that are done; `bury` is called when it crashed once too often."""
        self.config = config
        self.subscriptions: dict[str, Subscription] = {}
        self.ended = False
        """Whether it is deleted, and counted as such."""
        self._agent = agent
        self._bus = surroundings.bus
        self._options = surroundings.options
        self._processor = Processor(config, agent, surroundings)
        self._lull = lull
        self._bury = bury
        self._turns = Turns(config.concurrency)
        self._crashed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._readers: set[asyncio.Task[None]] = set()
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def _name(self) -> str:
        return f"agent {self.config.agent_id}"

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Every task that has not ended."""
        return self._readers | ({self._supervisor} if self._supervisor else set())

    @property
    def quiet(self) -> bool:
        """Whether nothing is handled, waits for its turn, or is queued."""
        queued = any(subscription.depth for subscription in self.subscriptions.values())
        return not (queued or self._turns.busy or self._turns.waiting)

    def subscribe(self, pattern: str) -> None:
        """Have events queued; LoomRuntimeError when the bus refuses."""
        config = self.config
        self.subscriptions[pattern] = self._bus.subscribe(pattern, (), config.qos, config.capacity)

    def start(self, crew: Crew) -> None:
        """Set up, then handle what is queued."""
        self._supervisor = crew.start(self._supervise(), self._name, self.config.setup_seconds)
        for pattern in self.subscriptions:
            self.read(pattern, crew)

    def read(self, pattern: str, crew: Crew) -> None:
        """Handle what is queued for one pattern, as soon as the agent is set up."""
        for _ in range(self.config.concurrency):
            work = self._read(self.subscriptions[pattern])
            reader = crew.start(work, self._name, self.config.setup_seconds)
            self._readers.add(reader)
            reader.add_done_callback(self._readers.discard)

    def unsubscribe(self, pattern: str) -> None:
        """Take nothing more of one pattern."""
        self._bus.unsubscribe(self.subscriptions.pop(pattern))

    async def drain(self, seconds: float) -> None:
        """Take nothing new, and handle what is queued within so many seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        await self._bus.drain(*self.subscriptions.values(), timeout=seconds)
        if self._readers:
            await asyncio.wait(self._readers, timeout=max(deadline - clock(), 0))

    def end(self) -> None:
        """Drop what is queued, cancel what is being handled, tear down."""
        for subscription in self.subscriptions.values():
            self._bus.unsubscribe(subscription)
        for task in self.tasks - {asyncio.current_task()}:
            task.cancel()

    async def _read(self, subscription: Subscription) -> None:
        """Handle one event after another; one reader's deadline is one watch."""
        attach(self._processor.idle_context)
        turns, processor, lull, watch = self._turns, self._processor, self._lull, Watch()
        slice_length = self._options.slice * NANOSECONDS
        stretch = perf_counter_ns()
        try:
            async for envelope in subscription:
                taken = perf_counter_ns()
                if turns.free > 0:
                    turns.free -= 1
                else:
                    await self._await_turn(envelope, taken)
                try:
                    await processor.process(envelope, watch, taken)
                except Exception as error:  # noqa: BLE001 - a crash; whatever else went wrong is one too
                    self._crash(error)
                finally:
                    turns.give()
                if taken - stretch > slice_length:
                    await asyncio.sleep(0)
                    stretch = perf_counter_ns()
                if lull.moment is not None:
                    lull.notice()
        finally:
            watch.close()

    async def _await_turn(self, envelope: Envelope, taken: int) -> None:
        try:
            await self._turns.wait()
        except asyncio.CancelledError:
            self._processor.drop(envelope, taken)
            raise

    def _crash(self, error: BaseException) -> None:
        """Let no further event be handled; only the first crash of several counts."""
        if not self._crashed.done():
            self._turns.close()
            self._crashed.set_result(error)

    async def _supervise(self) -> None:
        """Set the agent up again and again, as long as it may crash."""
        attach(Context())  # whoever created the agent, its trace ends there
        restarts, watch = Restarts(self._options.restart), Watch()
        try:
            while True:
                error = await self._live(watch)
                delay = restarts.after_crash(self._options.clock())
                name = self.config.agent_id
                if delay is None:
                    logger.error("agent %s crashed once too often", name, exc_info=error)
                    self._bury(self, error)
                    return
                logger.warning("agent %s crashed; restart in %.3g s", name, delay, exc_info=error)
                await self._options.pause(delay)
        finally:
            watch.close()

    async def _live(self, watch: Watch) -> BaseException:
        """One life of the agent, from setup to crash: what it crashed with."""
        self._crashed = asyncio.get_running_loop().create_future()
        if isinstance(self._agent, Setup):
            error = await self._guard(self._agent.setup, watch)
            if error is not None:
                return error
        try:
            self._processor.failures = 0
            self._turns.open()
            error = await self._crashed
            await self._turns.idle()
            return error
        finally:
            self._turns.close()
            if isinstance(self._agent, Teardown):
                error = await self._guard(self._agent.teardown, watch)
                if error is not None:
                    logger.warning("agent %s: teardown failed", self.config.agent_id, exc_info=error)

    async def _guard(self, step: Callable[[], Awaitable[None]], watch: Watch) -> BaseException | None:
        """What one step failed with, its deadline included; cancelling this task is no failure."""
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            with watch.limit(self.config.setup_seconds):
                await step()
        except asyncio.CancelledError as error:
            if task is None or task.cancelling() > before:
                raise
            return error
        except Exception as error:  # noqa: BLE001 - whatever it raises is its failure
            return error
        return None
