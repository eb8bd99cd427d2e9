"""What a scripted model answers: a list of replies, as data, its faults among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any, Literal, Self

from loom.errors import ConfigurationError, Problem
from loom.runtime.orchestrator.message import Usage


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A tool call."""

    tool: str
    """The tool's own name, such as `filesystem:read_file`; it is sent as its alias."""
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    """Text is sent as it is, so that it may be malformed."""
    id: str = ""
    """Empty: `call_1`, `call_2`, …"""


@dataclass(frozen=True, slots=True)
class Reply:
    """One response, good or bad."""

    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    usage: Usage | None = Usage(100, 20)  # noqa: RUF009 - frozen
    """None is not reported."""
    quote: bool = False
    """Whether the latest tool result follows the text, as a model would use it."""
    truncated: bool = False
    """Whether `finish_reason` is `length`."""
    delay: float = 0.0
    """Seconds before the response."""
    status: int = 200
    """Of HTTP; from 400 on an error body follows."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Such as `Retry-After`."""
    body: str | None = None
    """Sent instead of everything above, so that it may be broken."""
    fault: Literal["", "hang", "drop"] = ""
    """`hang`: no response until the server closes; `drop`: the connection is closed without one."""


OVER = Reply(status=400, body='{"error": {"message": "the script has no further reply"}}')


@dataclass(frozen=True, slots=True)
class Script:
    """Replies in their order."""

    replies: tuple[Reply, ...]
    forever: bool = False
    """Whether the last reply is repeated without end; otherwise what is asked for more is refused."""

    @classmethod
    def parse(cls, document: object) -> Self:
        """A script from JSON-like data with the fields of these classes. ConfigurationError names misfits."""
        from pydantic import TypeAdapter, ValidationError, with_config  # noqa: PLC0415 - only data needs it

        strict = with_config(extra="forbid")(cls)
        try:
            return TypeAdapter(strict).validate_python(document)
        except ValidationError as error:
            problems = [
                Problem(one["msg"], path=".".join(map(str, ("$", *one["loc"])))) for one in error.errors()
            ]
            raise ConfigurationError(*problems) from None


class Playback:
    """A script that is being played; any thread may ask."""

    def __init__(self, script: Script) -> None:
        """Nothing was played yet."""
        self._script = script
        self._numbers = count()
        self._lock = Lock()

    def next(self) -> tuple[int, Reply]:
        """The number of the request, from 0, and the reply to it."""
        with self._lock:
            number = next(self._numbers)
        replies = self._script.replies
        if number < len(replies):
            return number, replies[number]
        return number, replies[-1] if self._script.forever and replies else OVER
