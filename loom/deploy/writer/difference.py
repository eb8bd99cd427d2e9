"""How a file on disk differs from what is rendered: a short unified diff. Pure text."""

from difflib import unified_diff
from itertools import islice

LINES = 12
"""Lines of a difference that are shown."""


def difference(path: str, on_disk: str, rendered: str, lines: int = LINES) -> str:
    """At most `lines` lines of the way from `on_disk` to `rendered`; empty when they are equal."""
    every = unified_diff(
        on_disk.splitlines(), rendered.splitlines(), f"{path} (on disk)", f"{path} (rendered)", "", "", 1, ""
    )
    shown = list(islice(every, 2, lines + 3))  # without the two lines that name the files
    if len(shown) > lines:
        shown[lines:] = ["…"]
    if not shown and on_disk != rendered:
        shown = ["(only line ends differ)"]
    return "\n".join(shown)
