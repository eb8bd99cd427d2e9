"""`kill -9` of stdio servers under load: what the gauges say meanwhile, and how every call ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from loom.contract.metrics import action_broker, mcp_manager
from loom.runtime.call import Result, Status
from loom.runtime.mcp import Code, ServerConfig, State, Stdio

pytestmark = pytest.mark.anyio

House = Any
OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
Serve = Callable[..., ServerConfig]

CALLERS = 8
DEADLINE = 20.0
DOCUMENTED = {Code.CONNECTION_LOST, Code.SERVER_UNAVAILABLE}


class Ended(NamedTuple):
    """A call that came back."""

    result: Result
    seconds: float


class Load:
    """Callers that call again as soon as they have an answer."""

    def __init__(self, home: House, capability: str) -> None:
        """None has begun."""
        self.ended: list[Ended] = []
        self._home = home
        self._capability = capability
        self._done = False
        self._news = asyncio.Event()

    async def call(self) -> None:
        clock = asyncio.get_running_loop().time
        while not self._done:
            started = clock()
            result = await self._home.call(self._capability, {"text": "x"}, timeout=DEADLINE)
            self.ended.append(Ended(result, clock() - started))
            self._news.set()
            await asyncio.sleep(0)  # what fails at once must not keep the loop to itself

    async def until(self, status: Status, count: int) -> None:
        """So many more calls ended so."""
        wanted = self.count(status) + count
        while self.count(status) < wanted:
            self._news.clear()
            await self._news.wait()

    def count(self, status: Status) -> int:
        return sum(ended.result.status is status for ended in self.ended)

    def stop(self) -> None:
        self._done = True


@asynccontextmanager
async def loading(home: House, capability: str) -> AsyncIterator[Load]:
    load = Load(home, capability)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(load.call())
        yield load
        load.stop()


def gauges(home: House, server: str) -> tuple[int, int]:
    """Servers connected, tools that are there to be called."""
    value = home.captured.value
    return value(mcp_manager.SERVERS_ACTIVE), value(mcp_manager.TOOLS_REGISTERED, server)


async def reach(home: House, server: str, state: State) -> None:
    await home.manager.wait_until(lambda: home.manager.server(server).state is state)


async def kill(home: House, server: str) -> None:
    psutil.Process(home.manager.server(server).pid).kill()
    await reach(home, server, State.UNAVAILABLE)


def stumbling(config: ServerConfig, obstacle: Path) -> ServerConfig:
    """The same server, which does not start as long as there is this file."""
    script = 'test -e "$0" && exit 1; exec "$@"'
    endpoint = config.endpoint
    assert isinstance(endpoint, Stdio)
    args = ("-c", script, str(obstacle), endpoint.command, *endpoint.args)
    return replace(config, endpoint=Stdio("/bin/sh", args))


async def test_gauges_fall_to_zero_and_rise_again_and_no_call_hangs(
    house: OpenHouse, raw: Serve, tmp_path: Path
) -> None:
    obstacle = tmp_path / "obstacle"
    async with house() as home:
        await home.manager.add_server(stumbling(raw("good"), obstacle))
        assert gauges(home, "raw") == (1, 1)
        async with loading(home, "raw:echo") as load:
            await load.until(Status.OK, 50)
            obstacle.touch()
            await kill(home, "raw")
            assert gauges(home, "raw") == (0, 0)
            # Its capability stays, so that callers are told of the outage.
            assert home.captured.value(action_broker.REGISTERED_CAPABILITIES, "mcp") == 1
            await home.manager.wait_until(lambda: home.manager.server("raw").failures >= 2)
            await load.until(Status.ERROR, 50)
            assert gauges(home, "raw") == (0, 0)
            obstacle.unlink()
            await reach(home, "raw", State.CONNECTED)
            assert gauges(home, "raw") == (1, 1)
            await load.until(Status.OK, 50)
        reconnections = home.captured.values(mcp_manager.RECONNECTIONS)
        assert reconnections["raw", "ok"] == 1
        assert reconnections["raw", "failed"] >= 2
        connected = home.captured.value(mcp_manager.SERVERS_CONNECTED, "raw")
        assert (connected, home.captured.value(mcp_manager.SERVERS_DISCONNECTED, "raw")) == (2, 1)
        check_calls(home, load)


async def test_a_server_that_is_killed_again_and_again_leaves_the_gauges_where_they_were(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        await home.manager.add_servers([raw("good"), raw("good", "other")])
        async with loading(home, "raw:echo") as load:
            for _ in range(3):
                await load.until(Status.OK, 20)
                await kill(home, "raw")
                assert gauges(home, "raw") == (1, 0)
                assert gauges(home, "other") == (1, 1)
                await reach(home, "raw", State.CONNECTED)
                assert gauges(home, "raw") == (2, 1)
            await load.until(Status.OK, 20)
        assert home.captured.value(mcp_manager.RECONNECTIONS, "raw", "ok") == 3
        assert home.captured.value(mcp_manager.RECONNECTIONS, "other", "ok") == 0
        check_calls(home, load)
    assert home.captured.total(mcp_manager.TOOLS_REGISTERED) == 0


async def test_calls_that_a_killed_server_never_answered_are_told_at_once(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        await home.manager.add_server(raw("stuck"))
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
            calls = [group.create_task(home.call("raw:echo", timeout=600)) for _ in range(CALLERS)]
            while home.manager._connections["raw"]._calls.in_flight < CALLERS:  # noqa: ASYNC110 - nobody tells when a call is sent
                await asyncio.sleep(0)
            await kill(home, "raw")
        results = [call.result() for call in calls]
        assert {(result.status, result.error.code) for result in results} == {
            (Status.ERROR, Code.CONNECTION_LOST)
        }


async def test_a_server_that_is_removed_during_its_outage_is_gone_for_good(
    house: OpenHouse, raw: Serve, tmp_path: Path
) -> None:
    obstacle = tmp_path / "obstacle"
    async with house() as home:
        await home.manager.add_server(stumbling(raw("good"), obstacle))
        obstacle.touch()
        await kill(home, "raw")
        await home.manager.remove_server("raw")
        assert gauges(home, "raw") == (0, 0)
        assert home.broker.capabilities() == []
        assert (await home.call("raw:echo")).status is Status.NOT_FOUND


def check_calls(home: House, load: Load) -> None:
    """Every call succeeded or ended with a documented code, within its deadline, and was counted once."""
    failed = [ended.result for ended in load.ended if not ended.result.ok]
    assert {result.status for result in failed} == {Status.ERROR}
    codes = {result.error.code for result in failed if result.error}
    assert Code.SERVER_UNAVAILABLE in codes
    assert codes <= DOCUMENTED
    assert max(ended.seconds for ended in load.ended) < DEADLINE
    for status in (Status.OK, Status.ERROR):
        counted = home.captured.value(action_broker.INVOCATIONS, load._capability, status.value)
        assert counted == load.count(status)
