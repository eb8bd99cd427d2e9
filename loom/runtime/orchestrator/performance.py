"""A reply as the body of a chat completions response."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from loom.runtime.orchestrator.names import Names
from loom.runtime.orchestrator.script import Reply, ScriptedCall


def perform(reply: Reply, number: int, request: Mapping[str, Any]) -> str:
    """The body for request number `number`, whose parsed body is `request`."""
    if reply.body is not None:
        return reply.body
    if reply.status >= 400:
        error = {"message": f"scripted status {reply.status}", "type": "scripted", "code": None}
        return json.dumps({"error": error})
    message: dict[str, Any] = {"role": "assistant", "content": _text(reply, request) or None}
    if reply.calls:
        message["tool_calls"] = _calls(reply.calls)
    reason = "length" if reply.truncated else "tool_calls" if reply.calls else "stop"
    document = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": request.get("model", ""),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
    }
    if reply.usage is not None:
        document["usage"] = {
            "prompt_tokens": reply.usage.input_tokens,
            "completion_tokens": reply.usage.output_tokens,
            "total_tokens": reply.usage.total,
        }
    return json.dumps(document)


def _text(reply: Reply, request: Mapping[str, Any]) -> str:
    if not reply.quote:
        return reply.text
    results = [one["content"] for one in request.get("messages", ()) if one.get("role") == "tool"]
    return reply.text + (results[-1] if results else "")


def _calls(calls: Sequence[ScriptedCall]) -> list[dict[str, Any]]:
    names = Names(call.tool for call in calls)
    return [
        {
            "id": call.id or f"call_{number}",
            "type": "function",
            "function": {"name": names.alias(call.tool), "arguments": _arguments(call)},
        }
        for number, call in enumerate(calls, 1)
    ]


def _arguments(call: ScriptedCall) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(dict(call.arguments))
