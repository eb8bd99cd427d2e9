"""What is said between the orchestrator and a model, whatever carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Role = Literal["system", "user", "assistant", "tool"]
ToolChoice = Literal["auto", "required", "none"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one response, as its endpoint counted them."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def total(self) -> int:
        """Both sides."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Self) -> "Usage":
        """Side by side."""
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the model wrote it: the name is an alias, the arguments are text that should be JSON."""

    id: str
    """The model's own id: not unique, maybe empty. It only pairs a call with its result."""
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation."""

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    """What an assistant asked for."""
    call_id: str = ""
    """The call that a tool's message answers."""


@dataclass(frozen=True, slots=True)
class Function:
    """A tool as a model sees it."""

    alias: str
    """1 to 64 characters of `A-Za-z0-9_-`."""
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of an object."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One response of a model: text, calls, or both."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    """None when the endpoint does not report it."""
    truncated: bool = False
    """Whether the endpoint cut it at its limit of output tokens."""
