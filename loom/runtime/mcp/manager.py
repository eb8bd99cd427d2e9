"""The MCP manager: servers come and go, their tools are capabilities of the broker meanwhile."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from random import Random
from typing import Self

from opentelemetry.context import get_current

from loom.contract.spans import mcp_manager as spans
from loom.runtime.mcp.attempt import Attempt, tracing
from loom.runtime.mcp.backoff import Backoff
from loom.runtime.mcp.codes import Code
from loom.runtime.mcp.config import ServerConfig
from loom.runtime.mcp.connection import Connection
from loom.runtime.mcp.fault import ServerError
from loom.runtime.mcp.parts import Parts
from loom.runtime.mcp.pause import Pause, pause
from loom.runtime.mcp.session import Connect, Hooks, Session
from loom.runtime.mcp.status import ServerStatus
from loom.runtime.mcp.toolbox import Register
from loom.telemetry import Telemetry, aside

_logger = logging.getLogger(__name__)


def over_sdk(environ: Mapping[str, str]) -> Connect:
    """Sessions of the MCP SDK; stdio servers get their share of `environ`."""

    @asynccontextmanager
    async def connect(config: ServerConfig, hooks: Hooks) -> AsyncIterator[Session]:
        open_session = await asyncio.wrap_future(aside.start(_load, "loom-mcp-sdk"))
        async with open_session(config, hooks, environ) as session:
            yield session

    return connect


@dataclass(frozen=True, slots=True)
class Options:
    """How the manager behaves; tests pass their own clock, luck and servers."""

    backoff: Backoff = field(default_factory=Backoff)
    random: Random = field(default_factory=Random)
    pause: Pause = pause
    connect: Connect = field(default_factory=lambda: over_sdk(os.environ))


class Manager:
    """`async with Manager(broker, telemetry) as manager`: leaving ends every connection and child process.

    It belongs to the event loop and the task that entered it; its methods may be called from any task of the
    loop. Impossible requests and failed connections raise ServerError with a `code`.
    """

    def __init__(self, register: Register, telemetry: Telemetry, options: Options | None = None) -> None:
        """`register` is the action broker, or what stands in for it."""
        chosen = options or Options()
        self._telemetry = telemetry
        self._parts = Parts(
            register,
            telemetry,
            chosen.connect,
            chosen.backoff,
            chosen.random,
            chosen.pause,
            self._announce,
        )
        self._connections: dict[str, Connection] = {}
        self._group = asyncio.TaskGroup()
        self._open = False
        self._changed = asyncio.Event()

    def servers(self) -> tuple[ServerStatus, ...]:
        """Every server now, in the order in which they were added."""
        return tuple(connection.status for connection in self._connections.values())

    def server(self, name: str) -> ServerStatus:
        """One server now."""
        return self._find(name).status

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as the condition holds; it is asked again after each change of a server."""
        while not condition():
            await self._changed.wait()

    async def add_server(self, config: ServerConfig, *, keep_trying: bool = False) -> ServerStatus:
        """Connect a server and register its tools as `server:tool`.

        When the first attempt fails nothing remains, and ServerError says why; with `keep_trying` the server
        stays and is tried again, and the status says how the first attempt went.
        """
        if not self._open:
            raise ServerError(Code.CLOSED, "the MCP manager is closed")
        if config.name in self._connections:
            raise ServerError(Code.DUPLICATE_SERVER, f"there is a server named {config.name} already")
        connection = Connection(config, self._parts, keep_trying=keep_trying)
        self._connections[config.name] = connection
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        first = Attempt(spans.ADD_SERVER, get_current(), waiting)
        # A context of its own: what happens later in this server's life belongs to no trace of today.
        self._group.create_task(connection.run(first), name=f"mcp:{config.name}", context=Context())
        try:
            await waiting
        except ServerError:
            if not keep_trying:
                await self._discard(connection)
                raise
        except asyncio.CancelledError:
            await self._discard(connection)
            raise
        return connection.status

    async def add_servers(self, configs: Iterable[ServerConfig]) -> tuple[ServerStatus, ...]:
        """Add several at once; those that cannot be connected yet are tried again."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.add_server(config, keep_trying=True)) for config in configs]
        return tuple(task.result() for task in tasks)

    async def remove_server(self, name: str) -> None:
        """Unregister a server's tools and end its connection; calls that run fail with CONNECTION_LOST."""
        connection = self._find(name)
        with tracing(self._telemetry, spans.REMOVE_SERVER, connection.config):
            await self._discard(connection)

    async def reconnect_server(self, name: str) -> ServerStatus:
        """End a server's connection and make a new one; when that fails it goes on trying by itself."""
        connection = self._find(name)
        await connection.reconnect(get_current())
        return connection.status

    async def close(self) -> None:
        """End every connection. Nothing can be added any more."""
        self._open = False
        for connection in list(self._connections.values()):
            connection.stop()
        for connection in list(self._connections.values()):
            await self._discard(connection)

    async def __aenter__(self) -> Self:
        """Belong to the current task."""
        await self._group.__aenter__()
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        """End every connection, and wait for its task."""
        try:
            await self.close()
        except BaseException as error:
            # Somebody does not want to wait: the tasks are cancelled, and still clean up.
            await self._group.__aexit__(type(error), error, error.__traceback__)
            raise
        await self._group.__aexit__(None, None, None)

    def _find(self, name: str) -> Connection:
        connection = self._connections.get(name)
        if connection is None:
            known = ", ".join(self._connections) or "none"
            raise ServerError(Code.UNKNOWN_SERVER, f"there is no server named {name!r}, but: {known}")
        return connection

    async def _discard(self, connection: Connection) -> None:
        connection.stop()
        await connection.finished.wait()
        if self._connections.get(connection.config.name) is connection:
            del self._connections[connection.config.name]

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _load() -> Callable[[ServerConfig, Hooks, Mapping[str, str]], AbstractAsyncContextManager[Session]]:
    # In a thread of its own, since these imports take more than half a second, and tools may fill the pool.
    import jsonschema.validators  # noqa: F401, PLC0415 - for the first call, which would wait for it

    from loom.runtime.mcp.sdk import open_session  # noqa: PLC0415 - slow to import

    return open_session
