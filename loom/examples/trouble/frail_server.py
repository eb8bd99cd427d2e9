"""An MCP server of a few lines over stdio, without the SDK, so that it starts in no time: for the faults.

It ends by itself after some seconds, and as soon as there is a file that forbids it to run.

    python -m loom.examples.trouble.frail_server SECONDS FILE
"""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TOOL = {"name": "ask", "description": "Answers.", "inputSchema": {"type": "object"}}
_METHOD_NOT_FOUND = -32601
_LOOK = 0.05
"""Seconds between two looks at clock and file."""


def main(arguments: Sequence[str]) -> int:
    """Serve until stdin ends or the time is up; 1 when it may not start."""
    seconds, forbidden = float(arguments[0]), Path(arguments[1])
    if forbidden.exists():
        return 1
    threading.Thread(target=_end, args=(time.monotonic() + seconds, forbidden), daemon=True).start()
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **_answer(request)}), flush=True)
    return 0


def _end(moment: float, forbidden: Path) -> None:
    while time.monotonic() < moment and not forbidden.exists():
        time.sleep(_LOOK)
    os._exit(70)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    results: dict[str, dict[str, Any]] = {
        "initialize": {
            "protocolVersion": request.get("params", {}).get("protocolVersion", ""),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "frail", "version": "1"},
        },
        "tools/list": {"tools": [TOOL]},
        "tools/call": {"content": [{"type": "text", "text": "yes"}]},
        "ping": {},
    }
    if request["method"] in results:
        return {"result": results[request["method"]]}
    return {"error": {"code": _METHOD_NOT_FOUND, "message": "not here"}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
