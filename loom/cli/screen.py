"""The one door through which tables reach people.

On a terminal no name is ever cut or broken: a table that does not fit becomes a block for each row. Where
nobody looks, a table is as wide as it needs to be.
"""

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.text import Text

_GAP = 2
"""Blanks between two columns."""
_PROSE = 20
"""A column of words is made no narrower than this for the sake of a table."""
_INDENT = "    "
_ABSENT = frozenset({"", "-"})
"""Cells that say nothing: a block leaves them out."""

Rows = Sequence[Sequence[str]]
Styler = Callable[[str], str]
"""A cell → its style, as rich calls it; empty for none."""


def _no_style(cell: str) -> str:
    del cell
    return ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str = ""
    prose: bool = False
    """Its words may stand on several lines; in any other column a cell is one line."""
    style: Styler = _no_style


def titled(*titles: str) -> tuple[Column, ...]:
    """Columns that have nothing but a title."""
    return tuple(Column(title) for title in titles)


def width() -> int:
    """Columns of the terminal; 0 where nobody looks."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, keys: int = 1) -> None:
    """A table, headed when the first column has a title; or blocks, each below the first `keys` cells."""
    cells, room = [tuple(row) for row in rows], width()
    if room and _needed(columns, cells, least=True) > room:
        _show_blocks(columns, cells, keys, room)
    else:
        _show_table(columns, cells, room or _needed(columns, cells, least=False))


def prose(line: str, say: Callable[[str], None] = click.echo) -> None:
    """A line of words; on a terminal it goes on below its own beginning."""
    for part in _folded(line, width()):
        say(part)


def _folded(line: str, room: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return _wrap(line.strip(), room, indent, indent) or [""] if room else [line]


def _wrap(text: str, room: int, first: str, more: str) -> list[str]:
    """Lines that end between words; a word that is longer than all the room stays whole."""
    return textwrap.wrap(
        text,
        room,
        initial_indent=first,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _needed(columns: Sequence[Column], rows: Rows, *, least: bool) -> int:
    """The width of the table, its prose as narrow as may be or on one line."""
    return sum(_width(column, _below(rows, number), least=least) for number, column in enumerate(columns)) + (
        _GAP * (len(columns) - 1)
    )


def _below(rows: Rows, number: int) -> list[str]:
    return [row[number] for row in rows]


def _width(column: Column, cells: Sequence[str], *, least: bool) -> int:
    whole = max(map(len, (column.title, *cells)))
    if not (least and column.prose):
        return whole
    words = max((len(word) for cell in (column.title, *cells) for word in cell.split()), default=0)
    return min(whole, max(words, _PROSE))


def _show_table(columns: Sequence[Column], rows: Rows, room: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - late: it is slow to import
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    table = Table(box=None, pad_edge=False, show_header=bool(columns[0].title), padding=(0, _GAP, 0, 0))
    for number, column in enumerate(columns):
        least = _width(column, _below(rows, number), least=True)
        table.add_column(column.title, no_wrap=not column.prose, overflow="fold", min_width=least)
    for row in rows:
        table.add_row(*(Text(cell, column.style(cell)) for column, cell in zip(columns, row, strict=True)))
    console = Console(width=room, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())  # rich fills the last column with blanks


def _show_blocks(columns: Sequence[Column], rows: Rows, keys: int, room: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - late: it is slow to import
    from rich.text import Text  # noqa: PLC0415 - the same

    console = Console(width=room, highlight=False)
    for row in rows:
        heads = _wrap("  ".join(row[:keys]), room, "", _INDENT)
        below = _flow(list(zip(columns, row, strict=True))[keys:], room)
        for line in (*(Text(head, "bold") for head in heads), *below):
            console.print(line, soft_wrap=True)  # a word that is longer than the room stays whole


def _flow(cells: Sequence[tuple[Column, str]], room: int) -> "Iterator[Text]":
    """`title: cell; title: cell`, a cell on the next line when this one has no room for it."""
    from rich.text import Text  # noqa: PLC0415 - late: it is slow to import

    line = Text(_INDENT)
    for text, style in _spoken(cells):
        if line.plain != _INDENT and len(line) + 1 + len(text) > room:
            yield line
            line = Text(_INDENT)
        blank = "" if line.plain == _INDENT else " "
        *full, last = [text] if blank else _wrap(text, max(1, room - len(_INDENT)), "", "")
        for part in full:
            yield Text(_INDENT).append(part, style)
        line.append(blank).append(last, style)
    if line.plain != _INDENT:
        yield line


def _spoken(cells: Sequence[tuple[Column, str]]) -> Iterator[tuple[str, str]]:
    """What each cell says with its title, and its style; a semicolon before the next."""
    said = [(column, cell) for column, cell in cells if cell not in _ABSENT]
    for number, (column, cell) in enumerate(said, 1):
        text = f"{column.title}: {cell}" if column.title else cell
        yield text + ";" * (number < len(said)), column.style(cell)
