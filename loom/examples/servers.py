"""The two MCP servers of `mcp_integration`, one for each transport, each in a process of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from loom.contract import environment
from loom.runtime.loom import Loom
from loom.runtime.mcp import Limits, ServerConfig, ServerStatus, Stdio, StreamableHttp

WEATHER, TRAINS = "weather", "trains"
SECONDS = 10.0
"""How long a server may take to end."""


async def connect(loom: Loom, trains: Process, refuse: Path) -> None:
    """Start the weather server, and connect to it and to the trains; `refuse` is for the outage."""
    endpoint = Stdio(
        sys.executable,
        ("-m", "loom.examples.mcp_server", "--refuse-once", str(refuse)),
        env={environment.SERVICE_NAME.name: _service(loom, WEATHER)},
    )
    # What a child still has to send is sent within its stop timeout.
    weather = ServerConfig(WEATHER, endpoint, Limits(stop_timeout=5.0))
    async with asyncio.TaskGroup() as group:
        added = [
            group.create_task(loom.servers.add_server(weather)),
            group.create_task(_find_trains(loom, trains)),
        ]
    for task in added:
        _introduce(task.result())


async def _find_trains(loom: Loom, process: Process) -> ServerStatus:
    """Connect to the URL that the trains print once they listen."""
    line = await process.stdout.readline() if process.stdout else b""
    return await loom.servers.add_server(ServerConfig(TRAINS, StreamableHttp(line.decode().strip())))


@asynccontextmanager
async def running_trains(loom: Loom, environ: Mapping[str, str]) -> AsyncIterator[Process]:
    """The trains for an `async with` block; whoever is connected leaves before they end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loom.examples.train_server",
        stdin=PIPE,
        stdout=PIPE,
        env={**environ, environment.SERVICE_NAME.name: _service(loom, TRAINS)},
        start_new_session=True,  # Ctrl-C is for us: it ends when we close its stdin
    )
    try:
        yield process
    finally:
        if any(status.name == TRAINS for status in loom.servers.servers()):
            await loom.servers.remove_server(TRAINS)
        await _end(process)


async def _end(process: Process) -> None:
    """Close its stdin and let it send what it has; a server that does not want to end is killed."""
    if process.stdin:
        process.stdin.close()
    try:
        async with asyncio.timeout(SECONDS):
            await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _introduce(status: ServerStatus) -> None:
    print(f"{status.name} serves {', '.join(status.tools)} over {status.transport}, in a process of its own")


def _service(loom: Loom, name: str) -> str:
    """Its telemetry has a service name of its own."""
    return f"{loom.configuration.telemetry.service_name}-{name}"
