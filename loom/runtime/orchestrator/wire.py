"""The chat completions wire format: messages and tools to JSON, a response body to a `Completion`.

Pure; servers that only resemble the format are met with patience: absent usage, null texts, arguments that
are an object instead of text. What cannot be understood is a ModelError, never an exception of the parser.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from loom.runtime.orchestrator.failure import Code, ModelError
from loom.runtime.orchestrator.message import Completion, Function, Message, ToolCall, ToolChoice, Usage


def write_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The `messages` of a request."""
    return [_write_message(message) for message in messages]


def write_tools(tools: Sequence[Function], choice: ToolChoice) -> dict[str, Any]:
    """`tools` and `tool_choice` of a request: neither when there are no tools or they may not be used."""
    if not tools or choice == "none":
        return {}
    return {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": tool.alias,
                    "description": clean(tool.description),
                    "parameters": dict(tool.parameters),
                },
            }
            for tool in tools
        ],
        "tool_choice": choice,
    }


def read(body: bytes | str) -> Completion:
    """The first choice of a response body. ModelError `model_malformed` when it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # broken JSON, broken UTF-8, numbers or nesting beyond reason
        _refuse("it is not JSON")
    choices = document.get("choices") if isinstance(document, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        _refuse("it has no choices[0].message")
    return Completion(
        _read_text(message.get("content")),
        _read_calls(message.get("tool_calls")),
        _read_usage(document.get("usage")),
        choice.get("finish_reason") == "length",
    )


def clean(text: str) -> str:
    """The text without lone surrogates, which JSON may carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _write_message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": clean(message.text)}
    if message.calls:
        written["content"] = written["content"] or None
        written["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.role == "tool":
        written["tool_call_id"] = message.call_id
    return written


def _read_text(content: object) -> str:
    """Text, or the text parts of a list of parts; nothing else is text."""
    if isinstance(content, str):
        return clean(content)
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return clean("".join(text for text in texts if isinstance(text, str)))


def _read_calls(calls: object) -> tuple[ToolCall, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list):
        _refuse("its tool_calls is no list")
    return tuple(map(_read_call, calls))


def _read_call(call: object) -> ToolCall:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(name, str):
        _refuse("one of its tool calls has no function name")
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    identity = call.get("id")
    return ToolCall(clean(identity) if isinstance(identity, str) else "", clean(name), clean(text))


def _read_usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    sent, received = usage.get("prompt_tokens"), usage.get("completion_tokens", 0)
    if not isinstance(sent, int) or not isinstance(received, int) or min(sent, received) < 0:
        return None
    return Usage(sent, received)


def _refuse(why: str) -> NoReturn:
    # Nothing is chained: the parser's errors carry the whole document.
    raise ModelError(Code.MODEL_MALFORMED, f"the model's response is no chat completion: {why}") from None
