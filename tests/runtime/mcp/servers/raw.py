"""An MCP server without the SDK that misbehaves as its argument says; it speaks the 2025-11-25 handshake."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

MODE = sys.argv[1]
SECRET = "hunter2"  # noqa: S105 - what must not be found in telemetry
SIZE = 50 * 1024 * 1024
CHUNK = "x" * 65536
ANYTHING: Json = {"type": "object"}
ECHO: Json = {"name": "echo", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}
STRICT: Json = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
RICH: Json = {
    "content": [
        {"type": "text", "text": "one"},
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "audio", "data": "AAA=", "mimeType": "audio/wav"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "two"}},
        {"type": "resource", "resource": {"uri": "file:///b", "blob": "AAAAAAAA"}},
        {"type": "resource_link", "name": "c", "uri": "file:///c"},
    ],
    "structuredContent": {"n": 1},
}
TOOLS: list[Json] = {
    "twice": [ECHO, {"name": "echo", "inputSchema": ANYTHING}],
    "unprintable": [{"name": "a\u0007b", "inputSchema": ANYTHING}],
    "unstructured": [{**ECHO, "outputSchema": STRICT}],
}.get(MODE, [ECHO])


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def say(message: Json) -> None:
    write(json.dumps(message) + "\n")


def answer(request: Json, result: Json) -> None:
    say({"jsonrpc": "2.0", "id": request["id"], "result": result})


def refuse(request: Json, code: int, message: str) -> None:
    say({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}})


def text_of(request: Json) -> str:
    return str((request["params"].get("arguments") or {}).get("text", ""))


def reply(request: Json, text: str) -> None:
    answer(request, {"content": [{"type": "text", "text": text}]})


def echo(request: Json) -> None:
    reply(request, text_of(request))


def die(_: Json) -> None:
    sys.stderr.write(f"the secret of the server is {SECRET}\n")
    sys.stderr.flush()
    os._exit(3)


def ignore(_: Json) -> None:
    pass


def stream_huge(request: Json) -> None:
    """50 MB in one answer, without holding it here: the id in front, as Python servers do, or at the end."""
    if text_of(request) == "small":
        return echo(request)
    number = request["id"]
    front = MODE == "huge"
    sys.stdout.write(f'{{"jsonrpc":"2.0","id":{number},' if front else "{")
    sys.stdout.write('"result":{"content":[{"type":"text","text":"')
    for _ in range(SIZE // len(CHUNK)):
        sys.stdout.write(CHUNK)
    return write('"}]}' + ("}\n" if front else f',"jsonrpc":"2.0","id":{number}}}\n'))


def change(request: Json) -> None:
    TOOLS.append(ECHO if MODE == "doubling" else {"name": f"extra{len(TOOLS)}", "inputSchema": ANYTHING})
    echo(request)
    say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})


def flood(request: Json) -> None:
    for _ in range(80):
        sys.stderr.write(CHUNK + "\n")
    echo(request)


CALLS: dict[str, Callable[[Json], None]] = {
    "die": die,
    "stuck": ignore,
    "mute": ignore,
    "huge": stream_huge,
    "huge_ts": stream_huge,
    "growing": change,
    "doubling": change,
    "flood": flood,
    "wrong": lambda request: answer(request, {"content": 5}),
    "rich": lambda request: answer(request, RICH),
    "failing": lambda request: answer(
        request,
        {"content": [{"type": "text", "text": f"quota exhausted for token {SECRET}"}], "isError": True},
    ),
    "refusing": lambda request: refuse(request, int(text_of(request)), f"{SECRET} is not allowed"),
    "environment": lambda request: reply(request, json.dumps(dict(os.environ))),
    "meta": lambda request: reply(request, json.dumps(request["params"].get("_meta", {}))),
}


def initialize(request: Json) -> None:
    if MODE in {"slow", "chatty_slow"}:
        return
    capabilities: Json = {} if MODE == "toolless" else {"tools": {}}
    version = request["params"]["protocolVersion"]
    info = {"name": "raw", "version": "1"}
    answer(request, {"protocolVersion": version, "capabilities": capabilities, "serverInfo": info})


def list_tools(request: Json) -> None:
    answer(request, {"tools": [], "nextCursor": "again"} if MODE == "endless" else {"tools": TOOLS})


METHODS: dict[str, Callable[[Json], None]] = {
    "initialize": initialize,
    "tools/list": list_tools,
    "tools/call": CALLS.get(MODE, echo),
    "ping": ignore if MODE == "mute" else lambda request: answer(request, {}),
}


def unknown(request: Json) -> None:
    refuse(request, -32601, "method not found")


def sleep_for_ever() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)


def misbehave_at_once() -> None:
    match MODE:
        case "exit":
            sys.exit(f"the secret of the server is {SECRET}")
        case "garbage":
            while True:
                write("Welcome to my server!\n")
                time.sleep(0.001)
        case "chatty" | "chatty_slow":
            write("Welcome to my server!\n")
        case "deaf":
            sleep_for_ever()
        case "parent":
            # A descendant that inherits the pipes, and outlives its parent when nobody cares.
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


misbehave_at_once()
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        METHODS.get(asked["method"], unknown)(asked)
if MODE == "stubborn":
    sleep_for_ever()
