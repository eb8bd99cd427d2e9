"""An MCP server of the SDK over stdio, or HTTP when a port is given; it tells which spans it recorded."""

import json
import os
import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import Tool
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

EXPORTER = InMemorySpanExporter()
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(PROVIDER)


class Late(MCPServer):
    """Shows one tool to whoever asks first, and all of them from then on, without a word about it."""

    asked = 0

    async def list_tools(self) -> list[Tool]:
        """What there is at this time."""
        self.asked += 1
        tools = await super().list_tools()
        return tools[:1] if self.asked == 1 else tools


server = (Late if "late" in sys.argv else MCPServer)("sdk", version="1.2.3", log_level="ERROR")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Fail with a text of its own."""
    raise ToolError("quota exhausted")  # noqa: EM101, TRY003 - the text that a caller must get


@server.tool()
def die() -> str:
    """End the process in mid-call."""
    os._exit(4)


@server.tool()
def huge(megabytes: int) -> str:
    """Answer with a lot of text."""
    return "x" * (megabytes * 1024 * 1024)


@server.tool()
async def grow(ctx: Context) -> str:
    """Offer one more tool."""

    def extra() -> str:
        return "extra"

    server.add_tool(extra, name="extra")
    await ctx.notify_tools_changed()
    return "grown"


@server.tool()
def spans() -> str:
    """Every span recorded so far: name, trace id, parent's span id."""
    return json.dumps(
        [
            (
                span.name,
                f"{span.context.trace_id:032x}",
                f"{span.parent.span_id:016x}" if span.parent else "",
            )
            for span in EXPORTER.get_finished_spans()
        ]
    )


if sys.argv[1:] and sys.argv[1].isdigit():
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]), json_response="json" in sys.argv)
else:
    server.run()
