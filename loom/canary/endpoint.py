"""The port where the canary tells: `GET /metrics`, over TLS for those with a certificate of our authority."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, socket
from threading import Thread
from typing import Any

from loom.canary.exposition import MEDIA_TYPE
from loom.canary.folder import Answering, Folder
from loom.canary.settings import Address
from loom.errors import MachineError, Problem

logger = logging.getLogger("loom.canary")

_TIMEOUT = 10.0
"""Seconds that a client may be silent."""
_PATH = "/metrics"


class Endpoint(ThreadingHTTPServer):
    """A thread for each connection, a connection for each request: a rotation holds from the next one on."""

    daemon_threads = True

    def __init__(self, address: Address, text: Callable[[], str], folder: Folder | None) -> None:
        """Listen from now on; `text` is asked at each request. OSError when the port cannot be had."""
        if ":" in address.host:
            self.address_family = AF_INET6
        self.text = text
        self._answering = Answering(folder) if folder else None
        super().__init__((address.host, address.port), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's signature
        """In the connection's own thread: a client that is slow to shake hands holds up nobody."""
        request.settimeout(_TIMEOUT)
        if self._answering is None:
            super().finish_request(request, client_address)
            return
        with self._answering.current().wrap_socket(request, server_side=True) as channel:
            super().finish_request(channel, client_address)

    def handle_error(self, request: "socket | tuple[bytes, socket]", client_address: Any) -> None:  # noqa: ANN401 - as above
        """A client that is refused, or goes away, is nothing to be alarmed about."""
        del request
        logger.debug("a request from %s was not answered: %r", client_address[0], sys.exc_info()[1])


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    timeout = _TIMEOUT
    server_version, sys_version = "loom-canary", ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != _PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = self.server.text().encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", MEDIA_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        logger.debug(format, *args)


@contextmanager
def listening(address: Address, text: Callable[[], str], folder: Folder | None) -> Iterator[Endpoint]:
    """An endpoint that is closed behind the block; MachineError when the port cannot be had."""
    try:
        endpoint = Endpoint(address, text, folder)
    except OSError as error:
        message = f"cannot listen on {address.host}:{address.port}: {error.strerror or error}"
        raise MachineError(Problem(message)) from error
    thread = Thread(target=endpoint.serve_forever, name="canary-endpoint", daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.shutdown()
        endpoint.server_close()
        thread.join()
