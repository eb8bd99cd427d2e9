"""A child process that speaks over pipes, and never outlives its connection."""

import asyncio
import os
import signal
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import Stdio
from loom.runtime.mcp.fault import ServerError

CHUNK = 1 << 16
"""Bytes read at once."""

REAP_SECONDS = 2.0
"""How long the event loop may take to notice a kill."""


class _Protocol(SubprocessStreamProtocol):
    """Says when the process is gone, also while somebody else still holds its pipes open."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=CHUNK, loop=loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class Process:
    """A running child in a session of its own, so that its whole family can be ended."""

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: _Protocol) -> None:
        """`start` makes them."""
        self._transport = transport
        self._process = asyncio.subprocess.Process(transport, protocol, asyncio.get_running_loop())
        self.exited = protocol.exited
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._transport.get_returncode()

    async def read_stdout(self) -> bytes:
        """The next bytes; none at the end."""
        return await _read(self._process.stdout)

    async def read_stderr(self) -> bytes:
        """The next bytes; none at the end."""
        return await _read(self._process.stderr)

    async def write(self, data: bytes) -> None:
        """Write to its stdin; ConnectionError when it does not listen any more."""
        stdin = self._process.stdin
        if stdin is None:
            raise BrokenPipeError
        stdin.write(data)
        await stdin.drain()

    async def stop(self, grace: float) -> None:
        """Close its stdin, wait; SIGTERM, wait; SIGKILL. Its descendants go with it."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            if not await self._ends_within(grace):
                self._signal(signal.SIGTERM)
                await self._ends_within(grace)
        finally:
            self._signal(signal.SIGKILL)
            await self._ends_within(REAP_SECONDS)
            self._transport.close()

    async def _ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.exited.wait()
        return self.exited.is_set()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


async def start(endpoint: Stdio, environment: Mapping[str, str]) -> Process:
    """Start the command; ServerError when that is impossible."""
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.subprocess_exec(
            lambda: _Protocol(loop),
            endpoint.command,
            *endpoint.args,
            env=dict(environment),
            cwd=endpoint.cwd or None,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ServerError(Code.COMMAND_NOT_FOUND, _refusal(endpoint, error)) from None
    return Process(transport, protocol)


def _refusal(endpoint: Stdio, error: OSError | ValueError) -> str:
    if endpoint.cwd and not Path(endpoint.cwd).is_dir():
        return f"cannot start {endpoint.command!r}: its cwd {endpoint.cwd!r} is no directory"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"cannot start {endpoint.command!r}: {reason}"


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read(CHUNK)
