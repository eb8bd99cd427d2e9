"""HTTP in this process: an ASGI application on a socket of ours, in a thread of its own."""

import socket
import threading
from typing import TYPE_CHECKING

from uvicorn import Config, Server

if TYPE_CHECKING:
    from starlette.applications import Starlette

_STARTING = 20.0
"""Seconds until it must listen."""
_GRACE = 2
"""Seconds for requests under way when it stops."""


def bind(host: str, port: int) -> socket.socket:
    """A socket at that address, port 0 for a free one; OSError when it cannot be had."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # A port whose last connections are only just going down can be taken at once.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class WebServer:
    """Serves an application until it is closed."""

    def __init__(self, application: "Starlette", bound: socket.socket) -> None:
        """Serve from now on; `bound` is closed with the server."""
        self.port: int = bound.getsockname()[1]
        self._socket = bound
        config = Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = _Announced(config)
        self._thread = threading.Thread(target=self._serve, name=f"http-{self.port}", daemon=True)
        self._thread.start()
        if not self._server.announced.wait(_STARTING):
            message = f"nothing serves port {self.port} after {_STARTING:g} s"
            raise TimeoutError(message)

    def close(self) -> None:
        """Finish what is under way, and stop."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


class _Announced(Server):
    """Says when it listens, so that nobody has to look again and again."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.announced = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.announced.set()
