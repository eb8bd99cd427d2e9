"""Whatever happens to servers, in whatever order: every gauge is at the truth."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loom.contract.metrics import action_broker
from loom.contract.metrics import mcp_manager as m
from loom.runtime import ActionBroker
from loom.runtime.call import Call
from loom.runtime.mcp import Backoff, Manager, Options, ServerConfig, ServerError, State, Stdio
from loom.runtime.mcp.fake import FakeNetwork, FakeServer
from loom.runtime.mcp.pause import ManualTime
from loom.runtime.mcp.session import Tool
from loom.telemetry.capture import Capture

NAMES = ("one", "two", "three")
TOOLS = ("a", "b", "c")
CAP = 8.0

Work = Callable[[], Awaitable[Any]]

names = st.sampled_from(NAMES)
listings = st.lists(st.sampled_from(TOOLS), max_size=4)


class Servers(RuleBasedStateMachine):
    """Adds, removes, kills, revives and changes servers; time passes when a rule says so."""

    @initialize()
    def open(self) -> None:
        self.captured = Capture()
        self.loop = asyncio.new_event_loop()
        self.time = ManualTime()
        self.servers = {name: FakeServer([Tool("a")]) for name in NAMES}
        self.asked: asyncio.Queue[tuple[Work, asyncio.Future[Any]] | None] = asyncio.Queue()
        self.attempts = 0
        self.ready = self.loop.create_future()
        self.owner = self.loop.create_task(self.own())
        self.loop.run_until_complete(self.ready)

    async def own(self) -> None:
        """The task to which manager and broker belong."""
        luck = Random(7)  # noqa: S311 - jitter
        backoff = Backoff(first=1, cap=CAP)
        options = Options(backoff, luck, self.time.pause, FakeNetwork(self.servers).connect)
        telemetry = self.captured.telemetry
        async with (
            ActionBroker(telemetry) as self.broker,
            Manager(self.broker, telemetry, options) as self.manager,
        ):
            self.ready.set_result(None)
            while work := await self.asked.get():
                do, done = work
                try:
                    done.set_result(await do())
                except ServerError as error:
                    done.set_result(error)

    def do(self, work: Work) -> Any:  # noqa: ANN401 - whatever the work yields
        done = self.loop.create_future()
        self.asked.put_nowait((work, done))
        return self.loop.run_until_complete(asyncio.wait_for(done, 10))

    @rule(name=names, keep=st.booleans())
    def add(self, name: str, keep: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        self.do(lambda: self.manager.add_server(ServerConfig(name, Stdio("fake")), keep_trying=keep))

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.do(lambda: self.manager.remove_server(name))

    @rule(name=names)
    def reconnect(self, name: str) -> None:
        self.do(lambda: self.manager.reconnect_server(name))

    @rule(name=names)
    def kill(self, name: str) -> None:
        async def work() -> None:
            self.servers[name].kill()
            await self.settle()

        self.do(work)

    @rule(name=names)
    def revive(self, name: str) -> None:
        self.servers[name].revive()

    @rule(name=names, tools=listings)
    def change(self, name: str, tools: list[str]) -> None:
        """Also to listings with one name twice, which cannot be followed."""

        async def work() -> None:
            self.servers[name].change(Tool(tool) for tool in tools)
            await self.settle()

        self.do(work)

    @rule(name=names)
    def call(self, name: str) -> None:
        self.do(lambda: self.broker.invoke(Call(f"{name}:a")))

    @rule()
    def wait(self) -> None:
        """Long enough for one attempt of every server that is down."""

        async def work() -> None:
            self.time.advance(CAP)
            await self.settle()

        self.do(work)

    async def settle(self) -> None:
        """Every owner task waits for time to pass again, and has heard everything."""
        await self.manager.wait_until(
            lambda: all(self.at_rest(status.name) for status in self.manager.servers())
        )
        # Signals wake a task in the next turns of the loop.
        for _ in range(10):
            await asyncio.sleep(0)

    def at_rest(self, name: str) -> bool:
        server, status = self.servers[name], self.manager.server(name)
        return status.state is (State.CONNECTED if server.sessions and server.up else State.UNAVAILABLE)

    @precondition(lambda self: hasattr(self, "manager"))
    @invariant()
    def every_gauge_is_at_the_truth(self) -> None:
        statuses = self.manager.servers()
        alive = [name for name, server in self.servers.items() if server.sessions]
        connected = [status.name for status in statuses if status.state is State.CONNECTED]
        assert sorted(connected) == sorted(alive)
        registered = [one.name for one in self.broker.capabilities()]
        assert sorted(registered) == sorted(f"{one.name}:{tool}" for one in statuses for tool in one.tools)
        captured = self.captured
        assert captured.value(m.SERVERS_ACTIVE) == len(alive)
        assert captured.value(action_broker.REGISTERED_CAPABILITIES, "mcp") == len(registered)
        for name in NAMES:
            mine = [one for one in registered if one.startswith(f"{name}:")]
            # Still registered during an outage, so that calls are told of it; but of no use.
            assert captured.value(m.TOOLS_REGISTERED, name) == (len(mine) if name in alive else 0)
            ended = captured.value(m.SERVERS_CONNECTED, name) - captured.value(m.SERVERS_DISCONNECTED, name)
            assert ended == (name in alive)

    def teardown(self) -> None:
        if not hasattr(self, "manager"):
            return
        self.asked.put_nowait(None)
        self.loop.run_until_complete(asyncio.wait_for(self.owner, 10))
        captured = self.captured
        assert captured.value(m.SERVERS_ACTIVE) == 0
        assert captured.total(m.TOOLS_REGISTERED) == 0
        assert captured.value(action_broker.REGISTERED_CAPABILITIES, "mcp") == 0
        assert captured.total(m.SERVERS_CONNECTED) == captured.total(m.SERVERS_DISCONNECTED)
        assert asyncio.all_tasks(self.loop) == set()
        self.loop.close()
        captured.telemetry.shutdown()


TestServers = Servers.TestCase
TestServers.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
