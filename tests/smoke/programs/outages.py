"""Calls the tools of an MCP server without pause, kills the server again and again, and counts what happens.

Each outage lasts until Prometheus has seen it: only then may the server start again.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from loom.contract import environment
from loom.runtime import Call
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import Backoff, Limits, Options, ServerConfig, State, Stdio, over_sdk

CALLERS = 8
BREATH = 0.01
"""Seconds between two calls of a caller: a call that fails at once must not starve the others."""
PAUSE = 0.1
"""Seconds between two looks."""
SECONDS = 120.0
FEW = 50
"""Calls that must succeed between two outages."""


@dataclass
class Counts:
    """What was seen."""

    begun: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """Calls by status."""
    errors: Counter[str] = field(default_factory=Counter)
    """Calls by error code."""
    refused: int = 0
    """Starts of the server that failed."""
    pids: list[int] = field(default_factory=list)
    tools: list[list[str]] = field(default_factory=list)
    """The server's tools whenever it was connected."""


@dataclass
class Watch:
    """Prometheus, asked one question."""

    address: str
    query: str

    async def until(self, wanted: float) -> None:
        """Return when the answer is `wanted`."""
        while True:
            if await asyncio.to_thread(self._ask) == wanted:
                return
            await asyncio.sleep(PAUSE)

    def _ask(self) -> float | None:
        encoded = urllib.parse.urlencode({"query": self.query})
        with urllib.request.urlopen(f"http://{self.address}/api/v1/query?{encoded}", timeout=60) as answer:
            rows = json.load(answer)["data"]["result"]
        return float(rows[0]["value"][1]) if rows else None


async def main() -> None:
    """Run it and print the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prometheus", help="host:port")
    parser.add_argument("query", help="what shows whether the server is there: 1 or 0")
    parser.add_argument("--kills", type=int, default=2)
    told = parser.parse_args()
    environ = dict(os.environ)
    backoff = Backoff(first=1.0, cap=1.0, jitter=0.0)
    configuration = replace(
        Configuration.from_environ(environ), servers=(), mcp=Options(backoff, connect=over_sdk(environ))
    )
    counts = Counts()
    async with Loom(configuration) as loom:
        telemetry = loom.telemetry
        with tempfile.TemporaryDirectory() as folder:
            async with asyncio.timeout(SECONDS):
                await _run(
                    loom, Path(folder) / "refuse", Watch(told.prometheus, told.query), counts, told.kills
                )
    summary = {
        "begun": counts.begun,
        "ended": counts.ended,
        "errors": counts.errors,
        "refused": counts.refused,
        "pids": counts.pids,
        "tools": counts.tools,
        "traces": telemetry.tracing.roots,
        "spans": telemetry.ledger.exported,
        "arrived": loom.arrived,
    }
    sys.stdout.write(json.dumps(summary))


async def _run(loom: Loom, refuse: Path, watch: Watch, counts: Counts, kills: int) -> None:
    own = {environment.SERVICE_NAME.name: f"{loom.configuration.telemetry.service_name}-weather"}
    endpoint = Stdio(sys.executable, ("-m", "loom.examples.mcp_server", "--refuse-once", str(refuse)), own)
    await loom.servers.add_server(ServerConfig("weather", endpoint, Limits(stop_timeout=5.0)))
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(_call(loom, counts, over))
        await _is_up(loom, watch, counts)
        for _ in range(kills):
            await _kill(loom, refuse, watch, counts)
            await _is_up(loom, watch, counts)
        over.set()


async def _call(loom: Loom, counts: Counts, over: asyncio.Event) -> None:
    while not over.is_set():
        counts.begun += 1
        result = await loom.broker.invoke(Call("weather:forecast", {"city": "Paris"}))
        counts.ended[result.status.value] += 1
        if result.error:
            counts.errors[result.error.code] += 1
        await asyncio.sleep(BREATH)


async def _is_up(loom: Loom, watch: Watch, counts: Counts) -> None:
    """Wait until it is connected, Prometheus says so, and calls succeed."""
    await loom.servers.wait_until(lambda: loom.servers.server("weather").state is State.CONNECTED)
    status = loom.servers.server("weather")
    counts.pids.append(status.pid)
    counts.tools.append(list(status.tools))
    await watch.until(1)
    enough = counts.ended["ok"] + FEW
    await _until(lambda: counts.ended["ok"] >= enough)


async def _kill(loom: Loom, refuse: Path, watch: Watch, counts: Counts) -> None:
    """Kill it, and let every start fail until Prometheus has seen that it is gone."""
    _shoot(loom.servers.server("weather").pid, refuse)
    seen = asyncio.create_task(watch.until(0))
    await _until(lambda: _was_refused(refuse, counts, again=not seen.done()) and seen.done())
    await seen


def _shoot(pid: int, refuse: Path) -> None:
    refuse.touch()
    os.kill(pid, signal.SIGKILL)


def _was_refused(refuse: Path, counts: Counts, *, again: bool) -> bool:
    """Whether a start has failed: then the server took the file away."""
    if refuse.exists():
        return False
    counts.refused += 1
    if again:
        refuse.touch()
    return True


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - a file, and counts of several tasks, have no event to wait for
        await asyncio.sleep(PAUSE)


asyncio.run(main())
