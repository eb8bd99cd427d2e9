"""Topics, the patterns that subscribe to them, and what is recorded of them.

A topic is segments joined by dots: `thread.8f3a.reply`. A pattern is a topic, `prefix.*` for everything
below a prefix (one segment or more), or `*` for everything.
"""

import re
from collections.abc import Iterator

from loom.errors import LoomRuntimeError, Problem

ANY = "*"
LIMIT = 256
"""Longest topic in characters."""

_BELOW = ".*"
_OWNERS = ("thread.", "agent.")
_OWNED = re.compile(r"(?P<owner>thread|agent)\.[^.]+(?P<rest>\..+)?", re.DOTALL)
_ID = re.compile(
    r"\d+"  # a number
    r"|(?=.*\d)[0-9a-fA-F]{4,}"  # hexadecimal, at least one digit
    r"|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # a UUID
    r"|(?=.*\d)[0-9A-Za-z_-]{16,}"  # ULID, KSUID, nanoid and the like
    r"|[A-Za-z]+[-_]?\d{2,}"  # order-1234, sensor17
    r"|(?=.*\d)[A-Za-z0-9]+-[0-9a-fA-F]{4,}",  # a prefix and a hexadecimal id
    re.ASCII,
)

_HINT = re.compile(r"\d|-.*-", re.ASCII | re.DOTALL)
"""What every id has: a digit, or the hyphens of a UUID without digits."""


def check_topic(topic: str) -> None:
    """LoomRuntimeError when an event cannot be published there."""
    _check_segments(topic, topic)


def check_pattern(pattern: str) -> None:
    """LoomRuntimeError when the pattern is no topic, not `prefix.*` and not `*`."""
    if pattern != ANY:
        _check_segments(pattern.removesuffix(_BELOW), pattern)


def is_exact(pattern: str) -> bool:
    """Whether the pattern stands for one topic only."""
    return pattern != ANY and not pattern.endswith(_BELOW)


def patterns_for(topic: str) -> Iterator[str]:
    """Every pattern that matches a topic: itself, `a.b.*`, `a.*`, `*`."""
    yield topic
    prefix = topic
    while "." in prefix:
        prefix = prefix.rpartition(".")[0]
        yield prefix + _BELOW
    yield ANY


def matches(pattern: str, topic: str) -> bool:
    """Whether an event on the topic reaches a subscription with the pattern."""
    return pattern in patterns_for(topic)


def generalise(topic: str) -> str:
    """The topic with ids as `*`: what is recorded as the attribute `topic`.

    Ids are the owner in `thread.ID.…` and `agent.ID.…`, and any segment that looks like a generated one.
    """
    if topic.startswith(_OWNERS):
        owned = _OWNED.fullmatch(topic)
        if owned:
            topic = f"{owned['owner']}.{ANY}{owned['rest'] or ''}"
    # Most topics hold no id, and are told from the others three times as fast.
    if not _HINT.search(topic):
        return topic
    return ".".join(
        ANY if _HINT.search(segment) and _ID.fullmatch(segment) else segment for segment in topic.split(".")
    )


def _check_segments(text: str, whole: str) -> None:
    if not text or len(whole) > LIMIT:
        raise LoomRuntimeError(Problem(f"a topic has 1 to {LIMIT} characters, not {len(whole)}"))
    if not text.isprintable() or " " in text or ANY in text or not all(text.split(".")):
        hint = "segments are joined by single dots, without blanks; `*` may only end a pattern"
        raise LoomRuntimeError(Problem(f"{whole[:80]!r} is no topic", hint=hint))
