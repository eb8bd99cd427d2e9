"""Servers that misbehave over stdio: one documented code each, nobody waits, nothing stays."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from loom.contract import attributes as a
from loom.contract.metrics import action_broker, mcp_manager
from loom.contract.spans import action_broker as broker_spans
from loom.contract.spans import mcp_manager as spans
from loom.runtime.call import Result, Status
from loom.runtime.mcp import Code, ServerConfig, ServerError, State, Stdio

pytestmark = pytest.mark.anyio

House = Any
OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
Serve = Callable[..., ServerConfig]

SECRET = "hunter2"  # noqa: S105 - what must not be found in telemetry


_OTHERS: set[psutil.Process] = set()


@pytest.fixture(autouse=True)
def remember_others() -> None:
    """Programs that fixtures of other rooms keep running for the whole session."""
    _OTHERS.clear()
    _OTHERS.update(psutil.Process().children(recursive=True))


def own_children() -> set[psutil.Process]:
    """Processes that the test started."""
    return set(psutil.Process().children(recursive=True)) - _OTHERS


def told(home: House, capability: str, result: Result) -> None:
    """The result's status and code are on metrics and span, and no secret is anywhere in telemetry."""
    assert result.error is not None
    code = str(result.error.code)
    assert Code(code)
    assert home.captured.value(action_broker.ERRORS, capability, code) >= 1
    assert home.captured.value(action_broker.INVOCATIONS, capability, result.status.value) >= 1
    span = home.captured.spans(broker_spans.INVOKE)[-1]
    assert span.attributes[a.ERROR_CODE.name] == code
    assert span.attributes[a.CALL_STATUS.name] == result.status.value
    nothing_leaked(home)


def nothing_leaked(home: House) -> None:
    for span in home.captured.spans():
        assert SECRET not in span.to_json()


async def refused(home: House, config: ServerConfig, code: Code) -> ServerError:
    """Adding the server fails with the code, on the error and on the span, and leaves nothing."""
    with pytest.raises(ServerError) as caught:
        await home.manager.add_server(config)
    assert caught.value.code is code
    assert code.advice in str(caught.value)
    assert home.manager.servers() == ()
    assert home.broker.capabilities() == []
    assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
    assert home.captured.total(mcp_manager.SERVERS_CONNECTED) == 0
    assert home.captured.value(mcp_manager.TOOLS_REGISTERED, config.name) == 0
    (span,) = home.captured.spans(spans.ADD_SERVER)
    assert span.status.status_code.name == "ERROR"
    assert span.attributes[a.ERROR_CODE.name] == code
    assert own_children() == set()
    nothing_leaked(home)
    return caught.value


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        (Stdio("no-such-command-anywhere"), "No such file or directory"),
        (Stdio("/etc/passwd"), "Permission denied"),
        (Stdio(sys.executable, cwd="/no/such/folder"), "is no directory"),
        (Stdio("nul\0byte"), "ValueError"),
    ],
)
async def test_a_command_that_cannot_be_started(house: OpenHouse, endpoint: Stdio, reason: str) -> None:
    async with house() as home:
        error = await refused(home, ServerConfig("raw", endpoint), Code.COMMAND_NOT_FOUND)
        assert reason in error.message


async def test_a_process_that_ends_at_once_says_how_and_its_stderr_is_logged(
    house: OpenHouse, raw: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with house() as home:
        error = await refused(home, raw("exit"), Code.CONNECT_FAILED)
        assert "ended with exit code 1 before it answered" in error.message
        assert SECRET in caplog.text


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        (("garbage", {}), Code.PROTOCOL_ERROR, "no JSON-RPC"),
        (("slow", {"connect_timeout": 0.3}), Code.TIMEOUT, "within 0.3 s"),
        (("deaf", {"connect_timeout": 0.3, "stop_timeout": 0.1}), Code.TIMEOUT, "within 0.3 s"),
        (("chatty_slow", {"connect_timeout": 8}), Code.PROTOCOL_ERROR, "no JSON-RPC"),
        (("twice", {}), Code.DUPLICATE_TOOL, "more than one tool named 'echo'"),
        (("unprintable", {}), Code.PROTOCOL_ERROR, "name cannot be used"),
        (("endless", {}), Code.PROTOCOL_ERROR, "does not end"),
    ],
)
async def test_a_server_that_cannot_be_connected(
    house: OpenHouse, raw: Serve, case: tuple[str, dict[str, float]], code: Code, words: str
) -> None:
    mode, limits = case
    async with house() as home:
        error = await refused(home, raw(mode, **limits), code)
        assert words in error.message


@pytest.mark.parametrize("mode", ["stubborn", "parent", "flood", "chatty"])
async def test_a_server_that_is_only_odd_works_and_goes_when_it_is_removed(
    house: OpenHouse, raw: Serve, mode: str
) -> None:
    async with house() as home:
        await home.manager.add_server(raw(mode, stop_timeout=0.2))
        assert (await home.call("raw:echo", {"text": "hello"})).output.text == "hello"
        await home.manager.remove_server("raw")
        assert own_children() == set()


async def test_tools_are_gone_at_once_however_long_their_server_takes_to_end(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        await home.manager.add_server(raw("stubborn", stop_timeout=0.2))
        removing = asyncio.ensure_future(home.manager.remove_server("raw"))
        await asyncio.sleep(0)  # it has begun
        assert home.broker.capabilities() == []
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "raw") == 0
        assert not removing.done()
        await removing


async def test_a_server_without_tools_is_a_server(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        assert (await home.manager.add_server(raw("toolless"))).tools == ()
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1


@pytest.mark.parametrize(
    ("mode", "payload", "ending"),
    [
        ("failing", {}, (Status.ERROR, Code.TOOL_ERROR)),
        ("wrong", {}, (Status.ERROR, Code.INVALID_RESULT)),
        ("unstructured", {}, (Status.ERROR, Code.INVALID_RESULT)),
        ("refusing", {"text": "-32602"}, (Status.ERROR, Code.INVALID_ARGUMENTS)),
        ("refusing", {"text": "-32603"}, (Status.ERROR, Code.PROTOCOL_ERROR)),
        ("good", {"text": SECRET, 5: 5}, (Status.ERROR, Code.INVALID_ARGUMENTS)),
        ("good", f"{SECRET}: no object", (Status.ERROR, Code.INVALID_ARGUMENTS)),
        ("good", {"text": [SECRET]}, (Status.ERROR, Code.INVALID_ARGUMENTS)),
        ("good", {"more": object()}, (Status.ERROR, Code.INVALID_ARGUMENTS)),
        ("stuck", {}, (Status.TIMEOUT, Code.TIMEOUT)),
        ("huge", {}, (Status.ERROR, Code.RESULT_TOO_LARGE)),
        ("huge_ts", {}, (Status.ERROR, Code.RESULT_TOO_LARGE)),
    ],
)
async def test_a_call_that_fails_has_its_code_and_the_server_goes_on(
    house: OpenHouse, raw: Serve, mode: str, payload: object, ending: tuple[Status, Code]
) -> None:
    status, code = ending
    async with house() as home:
        before = await home.manager.add_server(raw(mode, call_timeout=0.3 if mode == "stuck" else 20))
        result = await home.call("raw:echo", payload)
        assert (result.status, result.error.code) == (status, code)
        assert code is Code.TOOL_ERROR or code.advice in result.error.message
        told(home, "raw:echo", result)
        assert home.manager.server("raw") == before
        if mode.startswith("huge"):
            assert (await home.call("raw:echo", {"text": "small"})).output.text == "small"


async def test_a_failed_tool_says_why_to_its_caller_only(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("failing"))
        result = await home.call("raw:echo")
        assert result.error.message == f"quota exhausted for token {SECRET}"
        assert result.output.is_error
        told(home, "raw:echo", result)


async def test_50_megabytes_cost_no_memory_to_speak_of(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("huge", result_bytes=1 << 20))
        before = psutil.Process().memory_info().rss
        assert (await home.call("raw:echo")).error.code == Code.RESULT_TOO_LARGE
        assert psutil.Process().memory_info().rss - before < 25 << 20


async def test_death_in_mid_call_fails_the_call_and_the_server_comes_back(
    house: OpenHouse, raw: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with house() as home:
        before = await home.manager.add_server(raw("die"))
        result = await home.call("raw:echo")
        assert result.error.code == Code.CONNECTION_LOST
        told(home, "raw:echo", result)
        await home.manager.wait_until(lambda: home.manager.server("raw").pid not in {0, before.pid})
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "raw") == 1
        assert home.captured.value(mcp_manager.RECONNECTIONS, "raw", "ok") == 1
        assert "its process ended with exit code 3" in caplog.text


async def test_a_server_that_stops_answering_is_found_out_by_its_health_check(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        before = await home.manager.add_server(raw("mute", call_timeout=0.2, health_timeout=0.2))
        result = await home.call("raw:echo")
        assert result.status is Status.TIMEOUT
        told(home, "raw:echo", result)
        await home.manager.wait_until(lambda: home.manager.server("raw").pid not in {0, before.pid})
        assert home.captured.value(mcp_manager.RECONNECTIONS, "raw", "ok") == 1
        assert not psutil.pid_exists(before.pid)


async def test_the_deadline_of_the_broker_counts_as_a_timeout_too(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        before = await home.manager.add_server(raw("mute", health_timeout=0.2))
        result = await home.call("raw:echo", timeout=0.2)
        assert result.status is Status.TIMEOUT
        await home.manager.wait_until(lambda: home.manager.server("raw").pid not in {0, before.pid})


async def test_a_server_that_cannot_be_started_yet_is_tried_until_it_can(
    house: OpenHouse, raw: Serve, tmp_path: Path
) -> None:
    config = raw("good")
    late = tmp_path / "late"
    assert isinstance(config.endpoint, Stdio)
    moved = replace(config, endpoint=Stdio(str(late), config.endpoint.args))
    async with house() as home:
        status = await home.manager.add_server(moved, keep_trying=True)
        assert status.state is State.UNAVAILABLE
        assert status.error.startswith("COMMAND_NOT_FOUND: ")
        await home.manager.wait_until(lambda: home.manager.server("raw").failures >= 3)
        late.symlink_to(sys.executable)
        await home.manager.wait_until(lambda: home.manager.server("raw").state is State.CONNECTED)
        failed = home.captured.value(mcp_manager.RECONNECTIONS, "raw", "failed")
        assert failed >= 2
        assert home.captured.value(mcp_manager.RECONNECTIONS, "raw", "ok") == 1
        assert home.captured.value(mcp_manager.SERVERS_CONNECTED, "raw") == 1
        codes = [
            span.attributes.get(a.ERROR_CODE.name) for span in home.captured.spans(spans.RECONNECT_SERVER)
        ]
        assert codes == [*[Code.COMMAND_NOT_FOUND] * int(failed), None]


async def test_a_server_that_is_removed_while_it_hangs_in_connecting_is_gone(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        adding = asyncio.ensure_future(home.manager.add_server(raw("slow")))
        await home.manager.wait_until(lambda: bool(own_children()) or bool(home.manager.servers()))
        await home.manager.remove_server("raw")
        with pytest.raises(ServerError) as caught:
            await adding
        assert caught.value.code is Code.CLOSED
        assert own_children() == set()


async def test_whoever_adds_a_server_may_give_up(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(home.manager.add_server(raw("slow")), 0.3)
        assert home.manager.servers() == ()
        assert own_children() == set()


async def test_a_cancelled_owner_leaves_no_process(house: OpenHouse, raw: Serve) -> None:
    async def work() -> None:
        async with house() as home:
            await home.manager.add_server(raw("stubborn", stop_timeout=0.2))
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(work(), 1)
    assert own_children() == set()


async def test_a_death_is_noticed_although_a_descendant_holds_the_pipes_open(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        before = await home.manager.add_server(raw("parent", stop_timeout=0.2))
        (descendant,) = psutil.Process(before.pid).children()
        psutil.Process(before.pid).kill()
        await home.manager.wait_until(lambda: home.manager.server("raw").pid not in {0, before.pid})
        assert not descendant.is_running() or descendant.status() == psutil.STATUS_ZOMBIE
        assert (await home.call("raw:echo", {"text": "x"})).ok
