"""A finding about a value of the profile, at the line where it was written."""

from collections.abc import Callable, Iterator

from loom.deploy.plan.model import Plan
from loom.deploy.profile.model import Profile
from loom.deploy.profile.tree import spell
from loom.errors import Problem

Check = Callable[[Plan], Iterator[Problem]]
"""Looks at one matter and yields what is wrong with it."""


def at(profile: Profile, path: str, message: str, hint: str = "") -> Problem:
    """A problem with the value at `metrics.retention.size`; file and line when they are known."""
    keys = tuple(int(key) if key.isdigit() else key for key in path.split("."))
    shown = spell(keys)
    place = profile.place(keys)
    if place is None:
        return Problem(message, path=shown, hint=hint)
    return Problem(message, place.file, place.line, place.column, shown, hint)


def written(profile: Profile, path: str) -> bool:
    """Whether the user wrote the value at the path; defaults are nobody's wish."""
    return profile.place(tuple(path.split("."))) is not None


def human(size: float) -> str:
    """Bytes for people: `1.5 GB`, with the profile's units, 2¹⁰ apart."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{_digits(size)} {unit}"
        size /= 1024
    return f"{_digits(size)} TB"


def span(seconds: float) -> str:
    """Seconds for people: `12.5 days`."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{_digits(seconds / length)} {unit}"
    return f"{_digits(seconds)} seconds"


def _digits(number: float) -> str:
    """Three digits, or all of a larger number's whole ones."""
    return f"{number:.3g}" if number < 100 else f"{number:,.0f}"
