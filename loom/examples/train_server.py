"""The second MCP server of the example `mcp_integration`: trains, behind a URL.

It prints the URL, serves streamable HTTP there, and ends with its stdin: it never outlives who started it.
"""

import asyncio
import socket
import sys

import uvicorn
from mcp.server import MCPServer

from loom.telemetry import Options, from_environ, setup

SECONDS = 2.0
"""How long it waits for its collector, and for requests that are still open."""


def main() -> int:
    """Serve until stdin ends."""
    telemetry = setup(from_environ(), Options(globally=True))
    try:
        asyncio.run(_serve())
    finally:
        telemetry.shutdown(SECONDS)
    return 0


async def _serve() -> None:
    app = _build().streamable_http_app(host="127.0.0.1")
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=int(SECONDS))
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(_end_with_stdin(server))
            await server.serve([listening])


async def _end_with_stdin(server: uvicorn.Server) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()
    server.should_exit = True


def _build() -> MCPServer:
    server = MCPServer("trains", log_level="ERROR")

    def departures(city: str) -> str:
        """The next trains to a city."""
        return f"{city}: 8:05, 10:05"

    server.add_tool(departures)
    return server


if __name__ == "__main__":
    sys.exit(main())
