"""The manager and a real server: what it registers, counts, records, and takes back."""

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import psutil
import pytest

from loom.contract import attributes as a
from loom.contract.metrics import action_broker, mcp_manager
from loom.contract.spans import action_broker as broker_spans
from loom.contract.spans import mcp_manager as spans
from loom.runtime.call import Call, Status
from loom.runtime.mcp import Code, Options, ServerConfig, ServerError, State, Stdio

pytestmark = pytest.mark.anyio

House = Any
OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
Serve = Callable[..., ServerConfig]


async def test_tools_become_capabilities_with_their_schemas_and_leave_with_their_server(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        status = await home.manager.add_server(raw("good", "files"))
        assert status.state is State.CONNECTED
        assert status.protocol_version == "2025-11-25"
        (capability,) = home.broker.capabilities()
        assert capability.name == "files:echo"
        assert capability.provider_type == "mcp"
        assert capability.schema == {"type": "object", "properties": {"text": {"type": "string"}}}
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "files") == 1
        await home.manager.remove_server("files")
        assert home.broker.capabilities() == []
        assert not psutil.pid_exists(status.pid)
        result = await home.call("files:echo")
        assert result.status is Status.NOT_FOUND
    assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
    assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "files") == 0
    assert home.captured.value(action_broker.REGISTERED_CAPABILITIES, "mcp") == 0


async def test_leaving_the_manager_removes_every_server(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_servers([raw("good", "one"), raw("good", "two")])
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 2
    assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
    assert home.captured.values(mcp_manager.SERVERS_DISCONNECTED) == {("one",): 1, ("two",): 1}
    assert set(home.captured.values(mcp_manager.TOOLS_REGISTERED).values()) == {0}


async def test_a_server_is_connected_while_every_thread_of_the_pool_is_busy(
    house: OpenHouse, raw: Serve
) -> None:
    loop, released = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, released.wait, 60)
    try:
        async with asyncio.timeout(30), house() as home:
            assert (await home.manager.add_server(raw("good"))).state is State.CONNECTED
            assert not busy.done()
    finally:
        released.set()


async def test_a_second_server_of_one_name_is_refused_and_the_first_stays(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        await home.manager.add_server(raw("good"))
        with pytest.raises(ServerError, match="remove it first") as caught:
            await home.manager.add_server(raw("good"))
        assert caught.value.code is Code.DUPLICATE_SERVER
        assert (await home.call("raw:echo", {"text": "hello"})).ok


async def test_requests_about_a_server_that_is_not_there_name_those_that_are(
    house: OpenHouse, raw: Serve
) -> None:
    async with house() as home:
        await home.manager.add_server(raw("good", "files"))
        for request in (home.manager.remove_server, home.manager.reconnect_server):
            with pytest.raises(ServerError, match="'flies', but: files") as caught:
                await request("flies")
            assert caught.value.code is Code.UNKNOWN_SERVER


async def test_a_version_that_does_not_exist_is_not_found(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("good"))
        result = await home.broker.invoke(Call("raw:echo", {}, version="7.1.0"))
        assert result.status is Status.NOT_FOUND
        assert result.error.code == "NOT_FOUND"
        assert home.captured.value(action_broker.INVOCATIONS, "raw:echo", "not_found") == 1
        assert home.captured.value(action_broker.ERRORS, "raw:echo", "NOT_FOUND") == 1


async def test_every_kind_of_content_is_there_as_text_and_whole(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("rich"))
        output = (await home.call("raw:echo")).output
    assert output.text.splitlines() == [
        "one",
        "[image image/png, 3 bytes]",
        "[audio audio/wav, 2 bytes]",
        "two",
        "[resource file:///b, 6 bytes]",
        "[resource file:///c]",
    ]
    assert output.structured == {"n": 1}
    assert output.parts[1]["data"] == "AAAA"
    assert str(output) == output.text


async def test_a_changed_list_is_followed_before_and_since_subscriptions(
    house: OpenHouse, raw: Serve, sdk: Serve
) -> None:
    async with house() as home:
        for config, tool in ((raw("growing"), "echo"), (sdk(), "grow")):
            before = set((await home.manager.add_server(config)).tools)
            assert (await home.call(f"{config.name}:{tool}")).ok
            await home.manager.wait_until(
                lambda name=config.name, old=before: set(home.manager.server(name).tools) > old
            )
            tools = home.manager.server(config.name).tools
            assert home.captured.value(mcp_manager.TOOLS_REGISTERED, config.name) == len(tools)
        assert (await home.call("sdk:extra")).output.text == "extra"
    registered = home.captured.spans(spans.REGISTER_TOOLS)
    added = {span.context.span_id for span in home.captured.spans(spans.ADD_SERVER)}
    assert len(registered) == 4
    assert {span.parent.span_id for span in registered} == added


async def test_what_changes_between_the_listing_and_the_subscription_is_not_missed(
    house: OpenHouse, sdk: Serve
) -> None:
    async with house() as home:
        status = await home.manager.add_server(sdk("sdk", "late"))
        assert len(status.tools) == 1
        await home.manager.wait_until(lambda: len(home.manager.server("sdk").tools) > 1)


async def test_a_changed_list_that_cannot_be_used_changes_nothing(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("doubling"))
        assert (await home.call("raw:echo")).ok
        # A second question is answered after the first has been followed up.
        assert (await home.call("raw:echo", {"text": "x"})).ok
        assert home.manager.server("raw").tools == ("echo",)
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "raw") == 1


async def test_the_spans_of_the_manager_are_those_of_the_contract(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("good"))
        await home.manager.reconnect_server("raw")
        await home.manager.remove_server("raw")
    base = {a.SERVER.name: "raw", a.TRANSPORT.name: "stdio"}
    full = {**base, a.PROTOCOL_VERSION.name: "2025-11-25", a.TOOLS.name: 1}
    for definition, attributes in (
        (spans.ADD_SERVER, full),
        (spans.RECONNECT_SERVER, full),
        (spans.REMOVE_SERVER, base),
    ):
        (span,) = home.captured.spans(definition)
        assert dict(span.attributes) == attributes
        assert span.parent is None
    for span in home.captured.spans(spans.REGISTER_TOOLS):
        assert dict(span.attributes) == full
    assert home.captured.value(mcp_manager.SERVERS_CONNECTED, "raw") == 2
    assert home.captured.value(mcp_manager.SERVERS_DISCONNECTED, "raw") == 2
    assert home.captured.value(mcp_manager.RECONNECTIONS, "raw", "ok") == 1


async def test_the_context_of_the_invocation_travels_to_the_server(house: OpenHouse, raw: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(raw("meta"))
        meta = json.loads((await home.call("raw:echo")).output.text)
    (span,) = home.captured.spans(broker_spans.INVOKE)
    assert meta["traceparent"] == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-03"


async def test_the_span_of_the_server_joins_the_trace_of_the_invocation(house: OpenHouse, sdk: Serve) -> None:
    async with house() as home:
        await home.manager.add_server(sdk())
        assert (await home.call("sdk:add", {"a": 1, "b": 2})).output.structured == {"result": 3}
        recorded = json.loads((await home.call("sdk:spans")).output.text)
    first, _ = home.captured.spans(broker_spans.INVOKE)
    wanted = ["tools/call add", f"{first.context.trace_id:032x}", f"{first.context.span_id:016x}"]
    assert wanted in recorded


async def test_a_child_gets_telemetry_and_what_is_named_but_no_other_secret(
    house: OpenHouse, raw: Serve, with_environ: Callable[..., Options]
) -> None:
    config = raw("environment")
    assert isinstance(config.endpoint, Stdio)
    endpoint = replace(config.endpoint, env={"SET": "1"}, inherit=("NAMED",))
    options = with_environ(
        {
            "PATH": "/usr/bin",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret",
            "NAMED": "token",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
    )
    async with house(options) as home:
        await home.manager.add_server(replace(config, endpoint=endpoint))
        environ = json.loads((await home.call("raw:echo")).output.text)
    environ.pop("LC_CTYPE", None)  # Python's own doing, in the child
    assert environ == {
        "PATH": "/usr/bin",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317",
        "NAMED": "token",
        "SET": "1",
    }
