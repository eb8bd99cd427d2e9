"""Trouble with MCP servers: one that is gone, one that breaks off again and again."""

import asyncio
import sys
import tempfile
from pathlib import Path

from loom.examples.trouble.pace import Scene
from loom.runtime.mcp import ServerConfig, Stdio

_PROGRAM = "loom.examples.trouble.frail_server"
_EVER = 1e6


async def gone(scene: Scene) -> None:
    """A server ends, and cannot start again until the fault is mended."""
    with tempfile.TemporaryDirectory(prefix="loom-trouble-") as folder:
        forbidden = Path(folder) / "forbidden"
        await scene.loom.servers.add_server(_server("gone", _EVER, forbidden))
        await asyncio.to_thread(forbidden.touch)
        await scene.mended.wait()
        await asyncio.to_thread(forbidden.unlink)
        await asyncio.Event().wait()


async def flapping(scene: Scene) -> None:
    """A server lives for a moment at a time; once mended, one that stays is in its place."""
    nowhere = Path("/nonexistent")
    await scene.loom.servers.add_server(_server("flapping", 0.2, nowhere))
    await scene.mended.wait()
    await scene.loom.servers.remove_server("flapping")
    await scene.loom.servers.add_server(_server("flapping", _EVER, nowhere))
    await asyncio.Event().wait()


def _server(name: str, seconds: float, forbidden: Path) -> ServerConfig:
    return ServerConfig(name, Stdio(sys.executable, ("-m", _PROGRAM, str(seconds), str(forbidden))))
