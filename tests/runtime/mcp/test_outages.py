"""Outages by the clock: pauses, health checks, calls meanwhile, reconnecting by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from opentelemetry.trace import get_current_span

from loom.contract import attributes as a
from loom.contract.metrics import mcp_manager
from loom.contract.spans import mcp_manager as spans
from loom.runtime.call import Status
from loom.runtime.mcp import (
    Backoff,
    Code,
    Limits,
    Options,
    ServerConfig,
    ServerError,
    State,
    Stdio,
    ToolResult,
)
from loom.runtime.mcp.fake import FakeNetwork, FakeServer
from loom.runtime.mcp.pause import ManualTime
from loom.runtime.mcp.session import Hooks, Session, Tool

pytestmark = pytest.mark.anyio

House = Any
OpenHouse = Callable[..., AbstractAsyncContextManager[House]]

ECHO = Tool("echo")
LIMITS = Limits(health_interval=60, health_timeout=0.05, connect_timeout=5)
CONFIG = ServerConfig("one", Stdio("fake"), LIMITS)


def options(time: ManualTime, server: FakeServer, first: float = 1) -> Options:
    backoff = Backoff(first=first, cap=6, jitter=0)
    return Options(backoff, Random(7), time.pause, FakeNetwork({"one": server}).connect)  # noqa: S311 - jitter


async def state(home: House, wanted: State) -> None:
    await home.manager.wait_until(lambda: home.manager.server("one").state is wanted)


async def test_pauses_double_up_to_the_cap_and_begin_anew_once_the_server_was_stable(
    house: OpenHouse,
) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    async with house(options(time, server)) as home:
        await home.manager.add_server(CONFIG)
        server.kill()
        for number, pause in enumerate((1, 2, 4, 6, 6), 2):
            await time.until(number)
            assert time.asked[-1] == pause
            time.advance(pause)
        await time.until(7)
        server.revive()
        time.advance(6)
        await time.until(8)
        assert home.manager.server("one").state is State.CONNECTED
        assert home.captured.values(mcp_manager.RECONNECTIONS) == {("one", "ok"): 1, ("one", "failed"): 5}
        server.kill()
        await time.until(9)
        assert time.asked[-1] == 6  # it went down before it had lasted
        server.revive()
        time.advance(6)
        await time.until(10)
        time.advance(60)
        await time.until(11)  # a health check has passed
        server.kill()
        await time.until(12)
        assert time.asked[-1] == 1
        failures = [
            span.attributes[a.ERROR_CODE.name]
            for span in home.captured.spans(spans.RECONNECT_SERVER)
            if a.ERROR_CODE.name in span.attributes
        ]
        assert failures == [Code.CONNECT_FAILED] * 5


async def test_calls_during_an_outage_fail_at_once_and_say_so(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    async with house(options(time, server)) as home:
        await home.manager.add_server(CONFIG)
        server.kill()
        await time.until(2)
        result = await home.call("one:echo")
        assert (result.status, result.error.code) == (Status.ERROR, Code.SERVER_UNAVAILABLE)
        assert "the manager reconnects by itself" in result.error.message
        assert "CONNECTION_LOST: one went away" in result.error.message
        assert home.manager.server("one").tools == ("echo",)


async def test_a_call_that_is_on_its_way_when_the_server_dies_does_not_hang(house: OpenHouse) -> None:
    started = asyncio.Event()

    async def never(name: str, arguments: Mapping[str, Any]) -> ToolResult:
        del name, arguments
        started.set()
        await asyncio.Event().wait()
        return ToolResult("")

    time, server = ManualTime(), FakeServer([ECHO], never)
    async with house(options(time, server)) as home, asyncio.TaskGroup() as group:
        await home.manager.add_server(CONFIG)
        call = group.create_task(home.call("one:echo"))
        await started.wait()
        server.kill()
        assert (await call).error.code == Code.CONNECTION_LOST


async def test_a_server_that_gives_no_sign_of_life_is_connected_anew(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    async with house(options(time, server)) as home:
        await home.manager.add_server(CONFIG)
        server.healthy = False
        time.advance(60)
        await time.until(2)
        assert home.manager.server("one").error == "TIMEOUT: one gave no sign of life within 0.05 s"
        server.healthy = True
        time.advance(1)
        await state(home, State.CONNECTED)


async def test_a_server_at_work_is_not_disturbed_until_it_has_failed_three_checks(house: OpenHouse) -> None:
    working = asyncio.Event()
    finish = asyncio.Event()

    async def work(name: str, arguments: Mapping[str, Any]) -> ToolResult:
        del name
        working.set()
        if "quick" not in arguments:
            await finish.wait()
        else:
            await asyncio.Event().wait()
        return ToolResult("done")

    time, server = ManualTime(), FakeServer([ECHO], work)
    async with house(options(time, server)) as home, asyncio.TaskGroup() as group:
        await home.manager.add_server(CONFIG)
        long = group.create_task(home.call("one:echo"))
        await working.wait()
        server.healthy = False
        time.advance(60)  # no check while it works
        await time.until(2)
        for number in (3, 4):
            result = await home.call("one:echo", {"quick": True}, timeout=0.01)
            assert result.status is Status.TIMEOUT
            await time.until(number)
            assert home.manager.server("one").state is State.CONNECTED
        await home.call("one:echo", {"quick": True}, timeout=0.01)
        await state(home, State.UNAVAILABLE)
        assert (await long).error.code == Code.CONNECTION_LOST


async def test_reconnecting_by_hand_is_one_attempt_in_the_trace_of_who_asks(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    async with house(options(time, server)) as home:
        await home.manager.add_server(CONFIG)
        with home.captured.telemetry.span(
            spans.REMOVE_SERVER, {}
        ) as around:  # any span will do as the caller's
            status = await home.manager.reconnect_server("one")
        assert status.state is State.CONNECTED
        (span,) = home.captured.spans(spans.RECONNECT_SERVER)
        assert span.parent.span_id == around.get_span_context().span_id
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1
        server.kill()
        await time.until(3)
        with pytest.raises(ServerError) as caught:
            await home.manager.reconnect_server("one")
        assert caught.value.code is Code.CONNECT_FAILED
        server.revive()
        assert (await home.manager.reconnect_server("one")).state is State.CONNECTED
        assert home.captured.values(mcp_manager.RECONNECTIONS) == {("one", "ok"): 2, ("one", "failed"): 1}
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "one") == 1


async def test_what_a_server_does_later_belongs_to_no_trace_of_whoever_added_it(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    traces: list[bool] = []

    async def pause(event: asyncio.Event, seconds: float) -> bool:
        traces.append(get_current_span().get_span_context().is_valid)
        return await time.pause(event, seconds)

    async with house(replace(options(time, server), pause=pause)) as home:
        with home.captured.telemetry.span(spans.REMOVE_SERVER, {}):
            await home.manager.add_server(CONFIG)
        server.kill()
        await time.until(2)
        server.revive()
        time.advance(1)
        await time.until(3)
        (span,) = home.captured.spans(spans.RECONNECT_SERVER)
        assert span.parent is None
    assert traces == [False] * 3


async def test_a_reconnect_that_nobody_can_finish_any_more_says_so(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    async with house(options(time, server)) as home:
        await home.manager.add_server(CONFIG)
        reconnecting = asyncio.ensure_future(home.manager.reconnect_server("one"))
        await asyncio.sleep(0)  # it has asked, and cannot have been answered yet
        await home.manager.remove_server("one")
        with pytest.raises(ServerError) as caught:
            await reconnecting
        assert caught.value.code is Code.CLOSED


async def test_a_server_that_was_given_up_says_so_to_whoever_asks(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO])
    network = options(time, server).connect

    @asynccontextmanager
    async def connect(config: ServerConfig, hooks: Hooks) -> AsyncIterator[Session]:
        if broken:
            raise KeyError("s3cret")  # noqa: EM101 - text that must stay in the log
        async with network(config, hooks) as session:
            yield session

    broken = False
    async with house(replace(options(time, server), connect=connect)) as home, asyncio.timeout(20):
        await home.manager.add_server(CONFIG)
        broken = True
        for _ in range(2):
            with pytest.raises(ServerError, match="one was given up after KeyError") as caught:
                await home.manager.reconnect_server("one")
            assert caught.value.code is Code.CLOSED
        status = home.manager.server("one")
        assert (status.state, status.error) == (State.CLOSED, "CLOSED: one was given up after KeyError")
        await home.manager.remove_server("one")
        assert home.manager.servers() == ()


async def test_tools_that_change_during_an_outage_are_as_they_are_afterwards(house: OpenHouse) -> None:
    time, server = ManualTime(), FakeServer([ECHO, Tool("old")])
    async with house(options(time, server)) as home:
        await home.manager.add_server(CONFIG)
        server.kill()
        await time.until(2)
        server.tools = (Tool("echo", "new words"), Tool("new"))
        server.revive()
        time.advance(1)
        await state(home, State.CONNECTED)
        assert {(one.name, one.description) for one in home.broker.capabilities()} == {
            ("one:echo", "new words"),
            ("one:new", ""),
        }
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "one") == 2
        assert (await home.call("one:old")).status is Status.NOT_FOUND


async def test_nothing_can_be_added_to_a_closed_manager(house: OpenHouse) -> None:
    async with house(options(ManualTime(), FakeServer())) as home:
        await home.manager.close()
        with pytest.raises(ServerError) as caught:
            await home.manager.add_server(CONFIG)
        assert caught.value.code is Code.CLOSED


async def test_a_server_past_the_budget_of_names_still_counts_right(house: OpenHouse) -> None:
    servers = {f"s{number}": FakeServer([ECHO]) for number in range(a.SERVER.budget + 2)}
    chosen = Options(pause=ManualTime().pause, connect=FakeNetwork(servers).connect)
    async with house(chosen) as home:
        await home.manager.add_servers(ServerConfig(name, Stdio("fake")) for name in servers)
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "other") == 2
        await home.manager.remove_server(f"s{a.SERVER.budget}")
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "other") == 1
