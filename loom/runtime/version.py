"""Versions of capabilities: which one a call gets.

`1.2.3` asks for exactly that, `1.2` or `1` for the highest below it, `^1.2.3` for the highest that is
compatible (same major version, for 0.x same minor), nothing for the highest. Pre-releases are chosen only
where there is nothing else or they are named. A version of another form sorts below all of these and is found
by its exact name only.
"""

import re
from collections.abc import Iterable

_NUMBER = re.compile(
    r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)

Key = tuple[bool, bool, tuple[int, ...], tuple[tuple[bool, int, str], ...], str]


def choose(wanted: str, versions: Iterable[str]) -> str | None:
    """The version that a call gets, or None when none fits."""
    known = list(versions)
    if wanted in known:
        return wanted
    fitting = [version for version in known if _fits(wanted, version)]
    return max(fitting, key=sort_key, default=None)


def sort_key(version: str) -> Key:
    """Orders versions: the last is the best."""
    found = _NUMBER.fullmatch(version)
    if found is None:
        return (False, False, (), (), version)
    numbers = tuple(int(part or 0) for part in found.groups()[:3])
    return (True, found[4] is None, numbers, _prerelease(found[4] or ""), version)


def _fits(wanted: str, version: str) -> bool:
    if not wanted:
        return True
    caret = wanted.startswith("^")
    asked = _NUMBER.fullmatch(wanted.removeprefix("^"))
    offered = _NUMBER.fullmatch(version)
    if asked is None or offered is None or asked[4] is not None:
        return False
    parts = [int(part) for part in asked.groups()[:3] if part is not None]
    numbers = [int(part or 0) for part in offered.groups()[:3]]
    if not caret:
        return len(parts) < 3 and numbers[: len(parts)] == parts
    fixed = 1 if parts[0] else 2
    return numbers[:fixed] == [*parts, 0, 0][:fixed] and numbers >= parts


def _prerelease(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Numbers below words, as Semantic Versioning says."""
    parts = text.split(".") if text else []
    return tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)
