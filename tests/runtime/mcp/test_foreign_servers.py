"""The manager against MCP servers that nobody here wrote: the official ones of npm, over both transports."""

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from loom.contract.metrics import mcp_manager
from loom.deploy.toolchain import cache_root
from loom.deploy.toolchain.node import Node, find_node
from loom.runtime.call import Status
from loom.runtime.mcp import Code, ServerConfig, State, Stdio, StreamableHttp

pytestmark = [pytest.mark.anyio, pytest.mark.smoke]

House = Any
OpenHouse = Callable[..., AbstractAsyncContextManager[House]]

LOCKED = Path(__file__).parent / "npm"
ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
"""Exactly the lock file; no package runs code of its own."""


@pytest.fixture(scope="module")
def node() -> Node:
    """Node.js; without one this fails and says how to get it."""
    return find_node(os.environ, npm=True)


@pytest.fixture(scope="module")
def modules(node: Node) -> Path:
    """The locked packages, installed once into the cache."""
    lock = (LOCKED / "package-lock.json").read_bytes()
    root = cache_root(os.environ) / "npm-mcp"
    folder = root / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.exists():
        work = root / f"work-{os.getpid()}"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(LOCKED, work)
        environ = node.environ(cache_root(os.environ) / "npm", os.environ)
        done = subprocess.run(
            [*node.npm, *ARGUMENTS], cwd=work, env=environ, capture_output=True, text=True, check=False
        )
        hint = "npm must reach a registry once; see also `loom-deploy toolchain install`"
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{hint}"
        work.rename(folder)
    return folder / "node_modules" / "@modelcontextprotocol"


def everything(node: Node, modules: Path, *words: str) -> tuple[str, tuple[str, ...]]:
    return str(node.binary), (str(modules / "server-everything" / "dist" / "index.js"), *words)


async def test_the_filesystem_server_reads_and_refuses(
    house: OpenHouse, node: Node, modules: Path, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("hello from a file")
    script = str(modules / "server-filesystem" / "dist" / "index.js")
    async with house() as home:
        status = await home.manager.add_server(
            ServerConfig("filesystem", Stdio(str(node.binary), (script, str(tmp_path))))
        )
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "filesystem") == len(status.tools)
        assert "read_text_file" in status.tools
        result = await home.call("filesystem:read_text_file", {"path": str(tmp_path / "note.txt")})
        assert result.output.text == "hello from a file"
        result = await home.call("filesystem:read_text_file", {"path": "/etc/passwd"})
        assert (result.status, result.error.code) == (Status.ERROR, Code.TOOL_ERROR)
        result = await home.call("filesystem:read_text_file", {"file": "/etc/passwd"})
        assert (result.status, result.error.code) == (Status.ERROR, Code.INVALID_ARGUMENTS)


async def exercise(home: House) -> None:
    assert (await home.call("all:echo", {"message": "hello"})).output.text == "Echo: hello"
    assert (await home.call("all:get-sum", {"a": 1, "b": 2})).output.text == "The sum of 1 and 2 is 3."
    image = (await home.call("all:get-tiny-image")).output
    assert "[image image/png, " in image.text
    structured = (await home.call("all:get-structured-content", {"location": "Chicago"})).output.structured
    assert set(structured) == {"temperature", "conditions", "humidity"}
    result = await home.call("all:trigger-long-running-operation", {"duration": 60, "steps": 1}, timeout=0.3)
    assert result.status is Status.TIMEOUT
    assert (await home.call("all:echo", {"message": "again"})).ok


async def test_the_everything_server_over_stdio_is_killed_and_comes_back(
    house: OpenHouse, node: Node, modules: Path
) -> None:
    async with house() as home:
        config = ServerConfig("all", Stdio(*everything(node, modules, "stdio")))
        status = await home.manager.add_server(config)
        await exercise(home)
        tools = home.captured.value(mcp_manager.TOOLS_REGISTERED, "all")
        psutil.Process(status.pid).kill()
        await home.manager.wait_until(lambda: home.manager.server("all").state is State.UNAVAILABLE)
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
        assert (await home.call("all:echo", {"message": "x"})).error.code == Code.SERVER_UNAVAILABLE
        await home.manager.wait_until(lambda: home.manager.server("all").state is State.CONNECTED)
        assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 1
        assert home.captured.value(mcp_manager.TOOLS_REGISTERED, "all") == tools
        await exercise(home)


async def test_the_everything_server_over_http_is_killed_and_comes_back(
    house: OpenHouse, node: Node, modules: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    program, arguments = everything(node, modules, "streamableHttp")
    config = ServerConfig("all", StreamableHttp(f"http://127.0.0.1:{port}/mcp"))

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            program, *arguments, env={**os.environ, "PORT": str(port)}, stderr=asyncio.subprocess.DEVNULL
        )

    async with house() as home:
        server = await start()
        try:
            await home.manager.add_server(config, keep_trying=True)
            await home.manager.wait_until(lambda: home.manager.server("all").state is State.CONNECTED)
            await exercise(home)
            server.kill()
            await server.wait()
            # Nobody tells over HTTP: the next call finds out, or a health check.
            result = await home.call("all:echo", {"message": "x"})
            assert result.error.code in {Code.CONNECTION_LOST, Code.SERVER_UNAVAILABLE}
            await home.manager.wait_until(lambda: home.manager.server("all").failures > 0)
            assert home.captured.value(mcp_manager.SERVERS_ACTIVE) == 0
            server = await start()
            await home.manager.wait_until(lambda: home.manager.server("all").state is State.CONNECTED)
            await exercise(home)
            await home.manager.remove_server("all")
        finally:
            server.kill()
            await server.wait()
