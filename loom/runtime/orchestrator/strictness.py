"""What real endpoints refuse with 400, so that the scripted one does too."""

import re
from collections.abc import Mapping
from typing import Any

from loom.contract import attributes as a

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLES = {"system", "developer", "user", "assistant", "tool"}


def complain(request: object) -> str:
    """What is wrong with the body of a request; empty when nothing is."""
    if not isinstance(request, dict):
        return "the body is no JSON object"
    messages = request.get("messages")
    if not isinstance(request.get("model"), str) or not request["model"]:
        return "model is missing"
    if not isinstance(messages, list) or not messages:
        return "messages is empty"
    return _complain_tools(request) or _complain_messages(messages)


def _complain_tools(request: Mapping[str, Any]) -> str:
    if "tools" not in request:
        return "tool_choice without tools" if "tool_choice" in request else ""
    tools = request["tools"]
    if not isinstance(tools, list) or not tools:
        return "tools is an empty list"
    names = [tool.get("function", {}).get("name", "") for tool in tools]
    if not all(
        tool.get("type") == "function" and _NAME.fullmatch(name)
        for tool, name in zip(tools, names, strict=True)
    ):
        return "a tool is no function with a name of 1 to 64 of A-Za-z0-9_-"
    if len(set(names)) < len(names):
        return "two tools have the same name"
    if any(tool["function"].get("parameters", {}).get("type", "object") != "object" for tool in tools):
        return "parameters must be the schema of an object"
    choice = request.get("tool_choice", "auto")
    return "" if choice in a.TOOL_CHOICE.values else "tool_choice is none of the words it may be"


def _complain_messages(messages: list[dict[str, Any]]) -> str:
    """Every tool call is answered, directly behind it, by exactly one message with its id."""
    open_calls: set[str] = set()
    for message in messages:
        if message.get("role") not in _ROLES:
            return "a message has an unknown role"
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                return "a tool message answers no call of the message before"
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            return "a tool call is not answered"
        calls = message.get("tool_calls") or []
        open_calls = {call["id"] for call in calls}
        if len(open_calls) < len(calls):
            return "two tool calls have the same id"
    return "a tool call is not answered" if open_calls else ""
