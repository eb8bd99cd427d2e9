"""The stdio transport for the MCP SDK.

The SDK's own has no limit for a line (a long one costs time by the square), hides how the process ended,
and hands it our own stderr. This one cuts lines at a limit, answers for what was cut, drains stderr, and
leaves no process behind. It is imported late, since it needs the SDK.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import INTERNAL_ERROR, ErrorData, JSONRPCError
from mcp_types import jsonrpc_message_adapter

from loom.runtime.mcp.config import Limits, Stdio
from loom.runtime.mcp.evidence import Evidence
from loom.runtime.mcp.lines import Lines, Oversize
from loom.runtime.mcp.process import Process, start

Incoming = SessionMessage | Exception
Streams = tuple[MemoryObjectReceiveStream[Incoming], MemoryObjectSendStream[SessionMessage]]

TOO_LARGE = "loom: message too large"
"""`data` of the error that stands for an answer that was thrown away."""

MOST_GARBAGE = 1000
"""Lines that are no JSON-RPC before the connection is given up."""

LAST_READ_SECONDS = 1.0
"""How long stdout may stay open after the process ended: a descendant can hold it."""

_ID_IN_FRONT = re.compile(rb'\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,18})\s*,')
_ID_AT_THE_END = re.compile(rb'"id"\s*:\s*(\d{1,18})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$')


@dataclass(frozen=True, slots=True)
class Watch:
    """What the transport tells besides messages."""

    evidence: Evidence
    on_lost: Callable[[], None]
    """Called when the process can answer no more."""


@asynccontextmanager
async def open_stdio(
    endpoint: Stdio, limits: Limits, environment: Mapping[str, str], watch: Watch
) -> AsyncIterator[Streams]:
    """Message streams over a child process, as the SDK wants them; the process ends with the block."""
    process = await start(endpoint, environment)
    watch.evidence.pid = process.pid
    incoming, read = anyio.create_memory_object_stream[Incoming](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    pump = _Pump(process, Lines(limits.result_bytes), watch)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pump.read, incoming)
            tasks.start_soon(pump.write, outgoing)
            tasks.start_soon(pump.drain_stderr)
            tasks.start_soon(pump.notice_exit)
            try:
                yield read, write
            finally:
                with anyio.CancelScope(shield=True):
                    read.close()
                    write.close()
                    await process.stop(limits.stop_timeout)
                    watch.evidence.exit_code = process.exit_code
                tasks.cancel_scope.cancel()
    finally:
        for stream in (incoming, read, write, outgoing):
            stream.close()


class _Pump:
    """Moves messages between the pipes of a process and the streams of the SDK."""

    def __init__(self, process: Process, lines: Lines, watch: Watch) -> None:
        self._process = process
        self._lines = lines
        self._watch = watch
        self._ended = asyncio.Event()

    async def read(self, incoming: MemoryObjectSendStream[Incoming]) -> None:
        """Stdout → messages; goes on reading when nobody wants them, so that the process can end."""
        try:
            async with incoming:
                await self._deliver(incoming)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            while await self._process.read_stdout():
                pass
        finally:
            self._ended.set()
            self._watch.on_lost()

    async def _deliver(self, incoming: MemoryObjectSendStream[Incoming]) -> None:
        while chunk := await self._process.read_stdout():
            for line in self._lines.feed(chunk):
                message = self._parse(line)
                if message is not None:
                    await incoming.send(message)
            if self._watch.evidence.garbage > MOST_GARBAGE:
                return

    def _parse(self, line: bytes | Oversize) -> SessionMessage | None:
        if isinstance(line, Oversize):
            return self._stand_in(line)
        if not line.strip():
            return None
        try:
            return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
        except ValueError:
            self._watch.evidence.garbage += 1
            return None

    def _stand_in(self, line: Oversize) -> SessionMessage | None:
        """An error in place of an answer that was too long; without an id nobody can be told."""
        found = _ID_IN_FRONT.match(line.head) or _ID_AT_THE_END.search(line.tail)
        if found is None:
            self._watch.evidence.garbage += 1
            return None
        error = ErrorData(
            code=INTERNAL_ERROR, message=f"an answer of {line.size} bytes was thrown away", data=TOO_LARGE
        )
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=int(found[1]), error=error))

    async def write(self, outgoing: MemoryObjectReceiveStream[SessionMessage]) -> None:
        """Messages → stdin."""
        try:
            async with outgoing:
                async for message in outgoing:
                    text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    await self._process.write(text.encode() + b"\n")
        except (ConnectionError, RuntimeError):
            # Its stdin is closed: whoever waits for an answer learns it when stdout ends.
            self._watch.on_lost()

    async def drain_stderr(self) -> None:
        """Keep the process from blocking on stderr, however much it says there."""
        while chunk := await self._process.read_stderr():
            self._watch.evidence.hear(chunk)

    async def notice_exit(self) -> None:
        """A process that is gone answers no more, even when a descendant holds its stdout open."""
        await self._process.exited.wait()
        with anyio.move_on_after(LAST_READ_SECONDS):
            await self._ended.wait()
        self._watch.on_lost()
