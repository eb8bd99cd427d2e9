"""What a tool answered, free of the SDK's types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.types import CallToolResult

BASE64_BYTES = 3 / 4
"""Bytes in one character of base64."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """An answer, also one that says that the tool failed."""

    text: str
    """Every part as text, joined by line breaks; what is no text is named, not shown."""
    structured: object = None
    """The structured content as JSON data; None when there is none."""
    parts: tuple[Mapping[str, Any], ...] = ()
    """Every part as MCP's JSON: images and resources are whole here."""
    is_error: bool = False

    def __str__(self) -> str:
        """The text: what a model is shown."""
        return self.text


def translate(result: "CallToolResult") -> ToolResult:
    """The SDK's result as ours."""
    parts = tuple(part.model_dump(mode="json", by_alias=True, exclude_none=True) for part in result.content)
    return ToolResult(
        "\n".join(show(part) for part in parts), result.structured_content, parts, bool(result.is_error)
    )


def show(part: Mapping[str, Any]) -> str:
    """A part of a result as text: `[image image/png, 1024 bytes]` for what cannot be read."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "image" | "audio" as kind, "data": str(data)}:
            return _placeholder(kind, part, data)
        case {"type": "resource", "resource": {"text": str(text)}}:
            return text
        case {"type": "resource", "resource": {"uri": uri, "blob": str(data)} as resource}:
            return _placeholder(f"resource {uri}", resource, data)
        case {"type": "resource_link", "uri": uri}:
            return f"[resource {uri}]"
    return f"[{part.get('type', 'unknown')}]"


def _placeholder(what: str, part: Mapping[str, Any], data: str) -> str:
    named = f"{what} {part.get('mimeType', '')}".rstrip()
    return f"[{named}, {_size(data)} bytes]"


def _size(data: str) -> int:
    return int(len(data.rstrip("=")) * BASE64_BYTES)
