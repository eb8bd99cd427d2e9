"""Prompts, completions, arguments and results as span attributes: only where somebody asked for them.

The shapes are those of the GenAI conventions: messages are a JSON list of `{role, parts}`.
"""

import json
from collections.abc import Sequence
from typing import Any

from loom.contract import attributes as a
from loom.runtime.orchestrator.message import Completion, Message
from loom.telemetry import AnySpan


class Content:
    """Writes content to spans, or does nothing."""

    def __init__(self, *, captured: bool) -> None:
        """`captured` is what OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says."""
        self._captured = captured

    def prompt(self, span: AnySpan, messages: Sequence[Message]) -> None:
        """What the model was sent."""
        if self._captured and span.is_recording():
            span.set_attribute(a.INPUT_MESSAGES.name, _json([_describe(message) for message in messages]))

    def completion(self, span: AnySpan, completion: Completion) -> None:
        """What it answered."""
        if self._captured and span.is_recording():
            message = _describe(Message("assistant", completion.text, completion.calls))
            reason = "tool_call" if completion.calls else "length" if completion.truncated else "stop"
            span.set_attribute(a.OUTPUT_MESSAGES.name, _json([{**message, "finish_reason": reason}]))

    def arguments(self, span: AnySpan, text: str) -> None:
        """What a tool was called with, as the model wrote it."""
        if self._captured and span.is_recording():
            span.set_attribute(a.TOOL_ARGUMENTS.name, text)

    def result(self, span: AnySpan, text: str) -> None:
        """What the model is shown of the result."""
        if self._captured and span.is_recording():
            span.set_attribute(a.TOOL_RESULT.name, text)


def _describe(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        answer = {"type": "tool_call_response", "id": message.call_id, "response": message.text}
        return {"role": message.role, "parts": [answer]}
    parts: list[dict[str, Any]] = [{"type": "text", "content": message.text}] if message.text else []
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.calls
    ]
    return {"role": message.role, "parts": parts}


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False)
