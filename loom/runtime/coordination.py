"""Who talks to whom, for how long: the fields that let events answer one another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from loom.errors import LoomRuntimeError, Problem

HOPS = 16
"""How often an event may be answered or forwarded before it dies out."""

_TEXTS = ("thread_id", "correlation_id", "sender", "reply_to")


@dataclass(frozen=True, slots=True)
class Coordination:
    """Fields of an envelope that most events leave at their defaults."""

    thread_id: str = ""
    """The conversation; empty means that the event starts one."""
    correlation_id: str = ""
    """What this answers; empty means the thread."""
    sender: str = ""
    reply_to: str = ""
    """Topic for answers; empty means the thread's reply topic."""
    ttl: int = HOPS
    """Hops that are left; an event with none left is dropped as expired."""
    hops: int = 0
    """Hops so far."""
    expires_at: float | None = None
    """Unix seconds after which nobody wants the event any more."""

    def expired(self, now: float) -> bool:
        """Whether the event must not be delivered; `now` in Unix seconds."""
        return self.ttl <= 0 or (self.expires_at is not None and now >= self.expires_at)

    def next_hop(self, **changes: str) -> "Coordination":
        """The same one hop further, with some fields changed."""
        ttl = max(self.ttl - 1, 0)
        return replace(self, ttl=ttl, hops=self.hops + 1, **changes)  # type: ignore[arg-type] # its own fields

    def answer(self, thread_id: str, correlation_id: str, sender: str) -> "Coordination":
        """One hop further, for an event that answers `correlation_id`; lives as long as what it answers."""
        # Written out: it is made for every answer, and `replace` takes three times as long.
        return Coordination(
            thread_id, correlation_id, sender, "", max(self.ttl - 1, 0), self.hops + 1, self.expires_at
        )

    def to_headers(self) -> dict[str, str]:
        """Only what differs from the defaults, as text."""
        headers = {name: value for name in _TEXTS if (value := getattr(self, name))}
        headers |= {"ttl": str(self.ttl), "hops": str(self.hops)}
        if self.expires_at is not None:
            headers["expires_at"] = repr(self.expires_at)
        return headers

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "Coordination":
        """Read what `to_headers` wrote; LoomRuntimeError names every header that is malformed."""
        problems: list[Problem] = []
        ttl = _whole(headers, "ttl", HOPS, problems)
        hops = _whole(headers, "hops", 0, problems)
        expires_at = _seconds(headers, "expires_at", problems)
        if problems:
            raise LoomRuntimeError(*problems)
        texts = {name: headers.get(name, "") for name in _TEXTS}
        return cls(**texts, ttl=min(ttl, HOPS), hops=hops, expires_at=expires_at)


DEFAULT = Coordination()
"""What an event has that says nothing about coordination."""


def _whole(headers: Mapping[str, str], name: str, default: int, problems: list[Problem]) -> int:
    text = headers.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    problems.append(Problem(f"header {name} must be a whole number, but is {text[:40]!r}"))
    return default


def _seconds(headers: Mapping[str, str], name: str, problems: list[Problem]) -> float | None:
    text = headers.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
        problems.append(Problem(f"header {name} must be Unix seconds, but is {text[:40]!r}"))
    return value
