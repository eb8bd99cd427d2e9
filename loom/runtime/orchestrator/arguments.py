"""Arguments from a model's text, and a tool's result as text for the model."""

import json
from typing import Any

from loom.runtime.orchestrator.tools import ToolResult
from loom.runtime.orchestrator.wire import clean


def parse(text: str) -> dict[str, Any]:
    """The arguments of a call; no text counts as none. ValueError says what is wrong, for the model."""
    if not text.strip() or text == "null":
        return {}
    try:
        arguments = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        message = f"the arguments are not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise ValueError(message) from None
    except RecursionError:
        message = "the arguments are nested too deeply"
        raise ValueError(message) from None
    if not isinstance(arguments, dict):
        message = "the arguments are JSON, but no object"
        raise ValueError(message)  # noqa: TRY004 - one class of error for whatever a model wrote
    return arguments


def render(result: ToolResult, limit: int) -> str:
    """The result as the model is shown it, at most `limit` characters of it."""
    if not result.ok:
        message = result.message or f"the tool ended with {result.status}"
        document = {"error": {"code": result.code, "message": message}}
        return _cut(clean(json.dumps(document, ensure_ascii=False)), limit)
    if isinstance(result.output, str):
        return _cut(clean(result.output), limit)
    return _cut(clean(_write(result.output)), limit)


def _write(output: object) -> str:
    """JSON if it can be that, or what Python shows of it; a tool may return what is neither."""
    try:
        return json.dumps(output, ensure_ascii=False, default=str)
    except Exception:  # noqa: BLE001 - keys that are no text, cycles, nesting, whatever `__str__` raises
        try:
            return str(output)
        except Exception:  # noqa: BLE001 - the same once more
            return f"[output of type {type(output).__name__} cannot be shown]"


def _refuse(constant: str) -> None:
    message = f"the arguments are not JSON: {constant} is no number there"
    raise ValueError(message)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[{len(text) - limit} more characters are not shown]"
