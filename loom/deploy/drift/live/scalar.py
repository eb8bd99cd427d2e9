"""Single values that mean the same however they are spelt: `7d` and `1w`, `2GB` and `2GiB`."""

import os.path
import re
from datetime import date
from pathlib import PurePosixPath

from pydantic_core import PydanticCustomError

from loom.deploy.profile.quantity import Duration, Size

HIDDEN = "<secret>"
"""What programs show instead of a secret: it says that there is one."""
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
_PART = re.compile(r"[0-9]+[a-z]+")


def alike(rendered: object, live: object, base: str = "") -> bool:
    """Whether two values come to the same; a relative path is taken from the folder `base`."""
    if live == HIDDEN:
        return rendered is not None
    ours, theirs = amount(rendered), amount(live)
    if ours == theirs:
        return True
    relative = base and isinstance(rendered, str) and isinstance(live, str) and live.startswith("/")
    return bool(relative) and os.path.normpath(PurePosixPath(base) / str(rendered)) == live


def amount(value: object) -> object:
    """What a value comes to: milliseconds of a duration, bytes of a size, text of the others."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.12g}"
    if value is None or isinstance(value, date):
        return str(value)
    text = str(value)
    if text and _DURATION.fullmatch(text):
        return ("ms", milliseconds(text))
    try:
        return ("bytes", Size.parse(text).base)
    except PydanticCustomError:
        return text.strip()


def milliseconds(text: str) -> int:
    """Of `90s`, `1m30s`."""
    return sum(Duration.units[_unit(part)] * _number(part) for part in _PART.findall(text))


def _unit(part: str) -> str:
    return part.lstrip("0123456789")


def _number(part: str) -> int:
    return int(part.rstrip("abcdefghijklmnopqrstuvwxyz"))
