"""What the SDK records when it finds our providers as the global ones, and what it must not record."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from loom.runtime import ActionBroker
from loom.runtime.call import Call
from loom.runtime.mcp import Manager, ServerConfig
from loom.telemetry import Sampling, Settings
from loom.telemetry.capture import capture

Serve = Callable[..., ServerConfig]
OpenHouse = Callable[..., AbstractAsyncContextManager[Any]]

SERVER = Path(__file__).parent / "servers" / "sdk.py"

PROGRAM = f"""
import asyncio, json, sys
from loom.runtime import ActionBroker
from loom.runtime.call import Call
from loom.runtime.mcp import Limits, Manager, ServerConfig, Stdio
from loom.telemetry.capture import capture

SERVER = ServerConfig("sdk", Stdio(sys.executable, ({str(SERVER)!r},)), Limits(health_interval=0.05))

async def main(captured):
    async with ActionBroker(captured.telemetry) as broker, Manager(broker, captured.telemetry) as manager:
        await manager.add_server(SERVER)
        await broker.invoke(Call("sdk:add", {{"a": 1, "b": 2}}))
        await broker.invoke(Call("sdk:grow"))
        await manager.wait_until(lambda: "extra" in manager.server("sdk").tools)
        await asyncio.sleep(0.2)  # several health checks, which must leave no trace
        return json.loads((await broker.invoke(Call("sdk:spans"))).output.text)

with capture() as captured:
    captured.telemetry.become_global()
    theirs = asyncio.run(main(captured))
    ours = [
        (s.name, s.kind.name, f"{{s.context.trace_id:032x}}", f"{{s.context.span_id:016x}}",
         f"{{s.parent.span_id:016x}}" if s.parent else "")
        for s in captured.spans()
    ]
print(json.dumps([ours, theirs]))
"""


def test_an_invocation_a_client_span_and_a_server_span_are_one_trace() -> None:
    # In a process of its own: OpenTelemetry has global providers once in a process.
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    ours, theirs = json.loads(done.stdout)
    named = {name: span for name, *span in ours}
    invoke = next(span for name, *span in ours if name == "invoke")
    client = named["MCP send tools/call add"]
    assert client[0] == "CLIENT"
    assert (client[1], client[3]) == (invoke[1], invoke[2])
    assert ["tools/call add", client[1], client[2]] in theirs
    adding = named["add_server"]
    connecting = {name for name, _, trace, _, _ in ours if trace == adding[1] and name.startswith("MCP ")}
    assert connecting == {"MCP send server/discover", "MCP send tools/list"}
    roots = {name for name, _, _, _, parent in ours if not parent}
    assert roots == {"add_server", "invoke"}


@pytest.mark.anyio
async def test_traces_that_are_not_kept_say_so_to_the_server_and_are_not_mixed(raw: Serve) -> None:
    with capture(Settings(sampling=Sampling(0))) as captured:
        async with (
            ActionBroker(captured.telemetry) as broker,
            Manager(broker, captured.telemetry) as manager,
        ):
            await manager.add_server(raw("meta"))
            results = [await broker.invoke(Call("raw:echo")) for _ in range(2)]
        contexts = [json.loads(str(result.output))["traceparent"] for result in results]
    assert all(context.endswith("-00") for context in contexts)
    assert contexts[0] != contexts[1]
    assert captured.spans() == []
