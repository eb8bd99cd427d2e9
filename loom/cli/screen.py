"""Where tables are shown: as wide as the terminal; where nobody looks, no line is broken."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 300
"""Columns of what goes into a file or another program."""


def screen() -> "Console":
    """The standard output."""
    from rich.console import Console  # noqa: PLC0415 - late: it is slow to import

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
