"""The MCP server of the example `mcp_integration`: the weather, in a process of its own.

Its telemetry is set up like any Loom process's, globally, so that the spans of the MCP SDK go to the same
collector: a call's server span joins the caller's trace, with another service instance.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from loom.telemetry import Options, Telemetry, from_environ, setup

SECONDS = 2.0
"""How long it waits for its collector, at a crash too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve over stdin and stdout until stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m loom.examples.mcp_server", description=__doc__)
    parser.add_argument("--refuse-once", type=Path, help="do not start when there is this file; delete it")
    refuse: Path | None = parser.parse_args(arguments).refuse_once
    if refuse is not None and refuse.exists():
        refuse.unlink()
        print("the weather service is being restarted", file=sys.stderr)
        return 1
    telemetry = setup(from_environ(), Options(globally=True))
    try:
        _build(telemetry).run()
    finally:
        telemetry.shutdown(SECONDS)
    return 0


def _build(telemetry: Telemetry) -> MCPServer:
    server = MCPServer("weather", log_level="ERROR")

    def forecast(city: str) -> str:
        """Tomorrow's weather in a city."""
        return f"{city}: sunny, 21 °C"

    def stations(city: str) -> str:
        """Weather stations of a city; it always fails."""
        message = f"no station reports from {city}"
        raise ToolError(message)

    async def archive(city: str) -> str:
        """The weather of the last hundred years; it takes as long."""
        await asyncio.Event().wait()
        return city

    def crash() -> str:
        """End the process in mid-call, as a defect would."""
        telemetry.flush(SECONDS)
        os._exit(70)

    for tool in (forecast, stations, archive, crash):
        server.add_tool(tool)
    return server


if __name__ == "__main__":
    sys.exit(main())
