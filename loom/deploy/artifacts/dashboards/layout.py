"""The grid: 24 columns, panels from left to right, one titled line above each row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loom.deploy.artifacts.dashboards.model import Panel, Row

COLUMNS = 24
_TITLE_HEIGHT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the grid; x and width in columns, y and height in units of 30 pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A row's title, or a panel, where it goes. Ids count from 1 from the top left, titles included."""

    id: int
    place: Place
    content: Panel | str


def lay_out(rows: Iterable[Row]) -> Iterator[Placed]:
    """Every title and every panel with its place; a panel that does not fit beside the last one wraps."""
    identity, y = 0, 0
    for row in rows:
        identity += 1
        yield Placed(identity, Place(0, y, COLUMNS, _TITLE_HEIGHT), row.title)
        y, x = y + _TITLE_HEIGHT, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                y, x = y + row.height, 0
            identity += 1
            yield Placed(identity, Place(x, y, panel.width, row.height), panel)
            x += panel.width
        y += row.height
