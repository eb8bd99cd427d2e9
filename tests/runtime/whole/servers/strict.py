"""An MCP server as strict as the protocol allows, in an older version of it."""

import json
import sys
from typing import Any

OLDER = "2025-03-26"
SCHEMA = {"type": "object"}
PARTS: dict[str, dict[str, Any]] = {
    "picture": {"type": "image", "data": "AAAA", "mimeType": "image/png"},
    "hologram": {"type": "hologram", "data": "AAAA", "depth": 3},
}


def say(number: object, **what: Any) -> None:  # noqa: ANN401 - JSON
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": number, **what}) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Nothing but `initialize` and `ping` before the client has said that it is initialized."""
    initialized = False
    for line in sys.stdin:
        request = json.loads(line)
        method, number = request["method"], request.get("id")
        if method == "notifications/initialized":
            initialized = True
        elif method == "initialize":
            info = {"name": "strict", "version": "1"}
            say(number, result={"protocolVersion": OLDER, "capabilities": {"tools": {}}, "serverInfo": info})
        elif number is None:
            continue
        elif method == "ping":
            say(number, result={})
        elif not initialized:
            say(number, error={"code": -32600, "message": "not initialized"})
        elif method == "tools/list":
            names = ("hang", *PARTS)
            say(number, result={"tools": [{"name": name, "inputSchema": SCHEMA} for name in names]})
        elif method == "tools/call" and request["params"]["name"] in PARTS:
            parts = [{"type": "text", "text": "seen"}, PARTS[request["params"]["name"]]]
            say(number, result={"content": parts})


serve()
