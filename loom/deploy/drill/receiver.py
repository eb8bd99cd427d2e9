"""A receiver of notifications on loopback: keeps what Alertmanager sends, and refuses when it is told to."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_POLL = 0.05
"""Seconds the server needs at most to notice that it is to end."""
_OK, _FORBIDDEN = 200, 403


@dataclass(frozen=True, slots=True)
class Notice:
    """What one notification says of one alert."""

    at: float
    """time.monotonic()."""
    labels: Mapping[str, str]
    firing: bool


class Receiver:
    """Every notification it was sent, by path."""

    def __init__(self) -> None:
        """Listens on a port of its own at once, and answers within `serving`."""
        self.refused: set[str] = set()
        """Paths that are answered with 403."""
        self._notices: dict[str, list[Notice]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def url(self, path: str) -> str:
        """Where a path is served."""
        return f"http://127.0.0.1:{self._server.server_port}/{path}"

    def notices(self, path: str) -> list[Notice]:
        """What came to a path, oldest first."""
        with self._lock:
            return list(self._notices.get(path, ()))

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        """Answer until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _take(self, path: str, message: Mapping[str, Any]) -> int:
        if path in self.refused:
            return _FORBIDDEN
        now = time.monotonic()
        found = [Notice(now, one["labels"], one["status"] == "firing") for one in message["alerts"]]
        with self._lock:
            self._notices.setdefault(path, []).extend(found)
        return _OK

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver._take(self.path.lstrip("/"), json.loads(body)))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
