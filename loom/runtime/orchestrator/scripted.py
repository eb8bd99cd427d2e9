"""Models that answer from a script: in memory, and over HTTP like a real endpoint."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from threading import Event, Thread
from typing import Any, Self

from loom.runtime.orchestrator import refusal, wire
from loom.runtime.orchestrator.failure import Code, ModelError, TransientError, late
from loom.runtime.orchestrator.message import Completion, Function, Message, ToolChoice
from loom.runtime.orchestrator.performance import perform
from loom.runtime.orchestrator.script import Playback, Reply, Script
from loom.runtime.orchestrator.settings import ModelSettings
from loom.runtime.orchestrator.strictness import complain

_PATH = "/v1/chat/completions"
_LOOPBACK = "127.0.0.1"
_POLL = 0.02
"""Seconds the server needs at most to notice that it is closed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that a scripted model got."""

    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of HTTP, names in lower case; empty in memory. The key is among them, and in no repr."""


class ScriptedModel:
    """A `ModelClient` in memory: no network, no retries, the same wire format."""

    def __init__(self, script: Script, model: str = "scripted", provider: str = "loom") -> None:
        """Every request is kept in `requests`."""
        self.model = model
        self.provider = provider
        self.requests: list[Seen] = []
        self._playback = Playback(script)

    async def complete(
        self, messages: Sequence[Message], tools: Sequence[Function], choice: ToolChoice, within: float
    ) -> Completion:
        """The next reply of the script."""
        request = {"model": self.model, "messages": wire.write_messages(messages)}
        request |= wire.write_tools(tools, choice)
        self.requests.append(Seen(request))
        if complaint := complain(request):
            raise ModelError(Code.MODEL_REFUSED, f"the scripted model refuses the request: {complaint}")
        number, reply = self._playback.next()
        try:
            async with asyncio.timeout(within):
                await asyncio.sleep(inf if reply.fault == "hang" else reply.delay)
        except TimeoutError:
            raise late(within) from None
        return self._answer(reply, number, request)

    def _answer(self, reply: Reply, number: int, request: dict[str, Any]) -> Completion:
        if reply.fault == "drop":
            raise TransientError(Code.MODEL_UNREACHABLE, "the scripted model dropped the connection")
        if reply.status >= 400:
            raise refusal.judge(reply.status, "the script")
        return wire.read(perform(reply, number, request))


class ScriptedServer:
    """An OpenAI-compatible endpoint on loopback, in threads of its own; use it as a context manager."""

    def __init__(self, script: Script, port: int = 0) -> None:
        """Port 0 takes a free one. Every request is kept in `requests`."""
        self.requests: list[Seen] = []
        self._playback = Playback(script)
        self._closing = Event()
        self._server = _Server((_LOOPBACK, port), self)
        self._thread = Thread(target=self._server.serve_forever, args=(_POLL,), name="loom-scripted-model")

    @property
    def base_url(self) -> str:
        """What LOOM_MODEL_BASE_URL would be."""
        return f"http://{_LOOPBACK}:{self._server.server_address[1]}/v1"

    def settings(self, model: str = "scripted", api_key: str = "") -> ModelSettings:
        """Settings for an `Endpoint` that talks to it."""
        return ModelSettings(model, self.base_url, api_key, "loom")

    def close(self) -> None:
        """Stop listening, let go of whoever still waits, and wait for every thread."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def play(self, request: Seen) -> tuple[Reply, str] | None:
        """The reply to a request and its body, when its time has come; None to drop the connection."""
        self.requests.append(request)
        if complaint := complain(request.body):
            return Reply(status=400), json.dumps({"error": {"message": complaint}})
        number, reply = self._playback.next()
        closed = self._closing.wait(None if reply.fault == "hang" else reply.delay)
        if closed or reply.fault:
            return None
        return reply, perform(reply, number, request.body)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them: nothing is left behind

    def __init__(self, address: tuple[str, int], owner: ScriptedServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request: without keep-alive no thread waits for a client."""

    server: _Server

    def do_POST(self) -> None:
        """Answer a chat completions request."""
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length) or "null")
        if self.path != _PATH:
            self._send(Reply(status=404), json.dumps({"error": {"message": f"only {_PATH} is here"}}))
            return
        played = self.server.owner.play(
            Seen(body, {name.lower(): value for name, value in self.headers.items()})
        )
        if played is not None:
            self._send(*played)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Nothing: it would go to standard error."""

    def _send(self, reply: Reply, body: str) -> None:
        content = body.encode("utf-8", "surrogatepass")
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except ConnectionError:  # the client had no more patience
            self.close_connection = True
