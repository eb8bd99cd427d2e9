"""Servers over streamable HTTP: a real one that is killed and comes back, and replies nobody should send."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from loom.contract import attributes as a
from loom.contract.metrics import mcp_manager
from loom.contract.spans import action_broker as broker_spans
from loom.contract.spans import mcp_manager as spans
from loom.runtime.call import Status
from loom.runtime.mcp import Code, Limits, ServerConfig, ServerError, State, StreamableHttp

pytestmark = pytest.mark.anyio

House = Any
OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter, dict[str, Any]], Awaitable[None]]

SERVER = Path(__file__).parent / "servers" / "sdk.py"
LIMITS = Limits(connect_timeout=20, call_timeout=20, health_interval=600, health_timeout=5, stop_timeout=0.5)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def config(port: int, limits: Limits = LIMITS, headers: dict[str, str] | None = None) -> ServerConfig:
    url = f"http://user:hunter2@127.0.0.1:{port}/mcp?key=hunter2"
    return ServerConfig("web", StreamableHttp(url, headers or {}), limits)


@asynccontextmanager
async def serving(port: int, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, SERVER, str(port), *words)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def connected(home: House) -> None:
    await home.manager.wait_until(lambda: home.manager.server("web").state is State.CONNECTED)


@pytest.mark.parametrize("words", [(), ("json",)], ids=["events", "json"])
async def test_a_server_behind_a_url_serves_dies_and_comes_back(
    house: OpenHouse, port: int, words: tuple[str, ...]
) -> None:
    async with house() as home:
        async with serving(port, *words):
            await home.manager.add_server(config(port), keep_trying=True)
            await connected(home)
            assert home.manager.server("web").transport == "streamable_http"
            assert (await home.call("web:add", {"a": 1, "b": 2})).output.structured == {"result": 3}
            recorded = json.loads((await home.call("web:spans")).output.text)
            first = home.captured.spans(broker_spans.INVOKE)[0]
            assert [
                "tools/call add",
                f"{first.context.trace_id:032x}",
                f"{first.context.span_id:016x}",
            ] in recorded
            assert (await home.call("web:grow")).ok
            await home.manager.wait_until(lambda: "extra" in home.manager.server("web").tools)
            result = await home.call("web:huge", {"megabytes": 50})
            assert (result.status, result.error.code) == (Status.ERROR, Code.RESULT_TOO_LARGE)
            assert home.manager.server("web").state is State.CONNECTED
            result = await home.call("web:die")
            assert (result.status, result.error.code) == (Status.ERROR, Code.CONNECTION_LOST)
            await home.manager.wait_until(lambda: home.manager.server("web").failures >= 2)
            assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
            result = await home.call("web:add", {"a": 1, "b": 2})
            assert result.error.code == Code.SERVER_UNAVAILABLE
        async with serving(port, *words):
            await connected(home)
            assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1
            assert "extra" not in home.manager.server("web").tools
            assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "web") == 6
            assert home.captured.value(mcp_manager.RECONNECTIONS, "web", "failed") >= 2
    for span in home.captured.spans():
        assert "hunter2" not in span.to_json()


async def test_nobody_at_the_url(house: OpenHouse, port: int, caplog: pytest.LogCaptureFixture) -> None:
    url = f"http://user:hunter2@127.0.0.1:{port}/hunter2/mcp?key=hunter2"
    async with house() as home:
        with pytest.raises(ServerError) as caught:
            await home.manager.add_server(ServerConfig("web", StreamableHttp(url), LIMITS))
        assert caught.value.code is Code.CONNECT_FAILED
        assert f"nobody answers at http://127.0.0.1:{port} (ConnectError)" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert "hunter2" not in caplog.text
        (span,) = home.captured.spans(spans.ADD_SERVER)
        assert span.attributes[a.ERROR_CODE.name] == Code.CONNECT_FAILED
        assert "hunter2" not in span.to_json()


def respond(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer(request: dict[str, Any], result: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": result}).encode()
    return respond("200 OK", "application/json", body)


@asynccontextmanager
async def replying(port: int, reply: Reply) -> AsyncIterator[None]:
    """An HTTP server that hands each JSON body to `reply`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                sizes = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(int(sizes[0].split(b":")[1])) if sizes else b"{}"
                await reply(reader, writer, json.loads(body or b"{}"))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    async with server:
        yield
        server.close()


def well_behaved(request: dict[str, Any]) -> bytes:
    """What a legacy server without sessions answers, except to calls."""
    match request.get("method"):
        case "initialize":
            info = {"name": "web", "version": "1"}
            version = request["params"]["protocolVersion"]
            return answer(
                request, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            )
        case "tools/list":
            return answer(request, {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]})
        case "ping":
            return answer(request, {})
        case "server/discover":
            return respond("404 Not Found", "text/plain", b"")
    return respond("202 Accepted", "text/plain", b"")


@pytest.mark.parametrize(
    ("bytes_sent", "code", "words"),
    [
        (respond("401 Unauthorized", "text/plain", b"hunter2"), Code.CONNECT_FAILED, "HTTP 401"),
        (respond("502 Bad Gateway", "text/html", b"<html>"), Code.CONNECT_FAILED, "HTTP 502"),
        (respond("200 OK", "text/html", b"<html>"), Code.PROTOCOL_ERROR, "refused"),
        (respond("200 OK", "application/json", b"{hunter2"), Code.INVALID_RESULT, "no JSON-RPC"),
        (b"hunter2 is no HTTP\r\n\r\n", Code.CONNECT_FAILED, "RemoteProtocolError"),
        (b"", Code.TIMEOUT, "within 0.3 s"),
    ],
    ids=["unauthorized", "bad gateway", "a web page", "broken json", "no http", "silence"],
)
async def test_a_url_that_is_no_mcp_server(
    house: OpenHouse, port: int, bytes_sent: bytes, code: Code, words: str
) -> None:
    limits = LIMITS if bytes_sent else Limits(connect_timeout=0.3, stop_timeout=0.1)

    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: dict[str, Any]) -> None:
        writer.write(bytes_sent)

    async with replying(port, reply), house() as home:
        with pytest.raises(ServerError) as caught:
            await home.manager.add_server(config(port, limits))
        assert caught.value.code is code, caught.value
        assert words in str(caught.value)
        assert home.manager.servers() == ()
        (span,) = home.captured.spans(spans.ADD_SERVER)
        assert span.attributes[a.ERROR_CODE.name] == code
        assert "hunter2" not in span.to_json()


async def endless(writer: asyncio.StreamWriter, kind: str, opening: bytes) -> None:
    """A body without end or length: only a limit stops it."""
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + opening
    )
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
async def test_an_answer_without_end_is_cut_at_its_limit_and_the_connection_lives(
    house: OpenHouse, port: int, kind: str
) -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        if request.get("method") == "tools/call":
            await endless(writer, kind, b"6\r\ndata: \r\n" if "event" in kind else b"")
        writer.write(well_behaved(request))

    async with replying(port, reply), house() as home:
        await home.manager.add_server(config(port))
        result = await home.call("web:t")
        assert (result.status, result.error.code) == (Status.ERROR, Code.RESULT_TOO_LARGE)
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1


async def test_a_call_without_an_answer_times_out_and_leaving_does_not_wait_for_it(
    house: OpenHouse, port: int
) -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        if request.get("method") != "tools/call":
            writer.write(well_behaved(request))

    limits = Limits(call_timeout=0.3, health_timeout=5, health_interval=600, stop_timeout=0.5)
    async with replying(port, reply), house() as home:
        await home.manager.add_server(config(port, limits))
        result = await home.call("web:t")
        assert (result.status, result.error.code) == (Status.TIMEOUT, Code.TIMEOUT)


async def test_headers_are_sent_and_answers_asked_for_uncompressed(house: OpenHouse, port: int) -> None:
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(respond("403 Forbidden", "text/plain", b""))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    async with server, house() as home:
        with pytest.raises(ServerError):
            await home.manager.add_server(config(port, headers={"X-Token": "token"}))
        server.close()
    assert b"x-token: token" in seen[0].lower()
    assert b"accept-encoding: identity" in seen[0].lower()


async def test_a_server_that_was_restarted_and_forgot_us_is_connected_anew(
    house: OpenHouse, port: int
) -> None:
    forgetful = True

    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        text = well_behaved(request)
        if request.get("method") == "initialize":
            text = text.replace(b"\r\n\r\n", b"\r\nMcp-Session-Id: 1\r\n\r\n", 1)
        if request.get("method") == "tools/call":
            text = (
                respond("404 Not Found", "text/plain", b"") if forgetful else answer(request, {"content": []})
            )
        writer.write(text)

    async with replying(port, reply), house() as home:
        await home.manager.add_server(config(port))
        result = await home.call("web:t")
        assert (result.status, result.error.code) == (Status.ERROR, Code.SERVER_UNAVAILABLE)
        forgetful = False
        await home.manager.wait_until(
            lambda: home.captured.value(mcp_manager.RECONNECTIONS, "web", "ok") == 1
        )
        assert (await home.call("web:t")).ok


async def test_a_silent_death_is_found_out_by_the_health_check(house: OpenHouse, port: int) -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        writer.write(well_behaved(request))
        if request.get("method") == "ping":
            writer.close()

    limits = Limits(health_interval=0.1, health_timeout=5, stop_timeout=0.5)
    async with house() as home:
        async with replying(port, reply):
            await home.manager.add_server(config(port, limits))
            assert (await home.call("web:t")).error.code == Code.PROTOCOL_ERROR
        await home.manager.wait_until(lambda: home.manager.server("web").failures > 0)
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
