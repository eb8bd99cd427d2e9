"""Shows the MCP manager: a server dies in mid-call, does not come back at first, and then does."""

import asyncio
from pathlib import Path

from loom.examples.expectation import Expectations
from loom.runtime import Call
from loom.runtime.loom import Loom
from loom.runtime.mcp import State

SECONDS = 30.0


async def show(loom: Loom, refuse: Path, expected: Expectations) -> None:
    """Crash `weather`; the file `refuse` lets its next start fail."""
    before = loom.servers.server("weather")
    await asyncio.to_thread(refuse.touch)
    result = await loom.broker.invoke(Call("weather:crash"))
    code = result.error.code if result.error else ""
    expected.check("a call during the crash", code, "CONNECTION_LOST")
    print(f"weather crashed in mid-call: {code}")
    async with asyncio.timeout(SECONDS):
        await loom.servers.wait_until(lambda: _is_back(loom, before.pid))
    after = loom.servers.server("weather")
    expected.check("the tools after the crash", after.tools, before.tools)
    again = await loom.broker.invoke(Call("weather:forecast", {"city": "Paris"}))
    expected.check("a call after the crash", again.ok, expected=True)
    print(f"weather came back by itself with {len(after.tools)} tools")


def _is_back(loom: Loom, pid: int) -> bool:
    status = loom.servers.server("weather")
    return status.state is State.CONNECTED and status.pid != pid
