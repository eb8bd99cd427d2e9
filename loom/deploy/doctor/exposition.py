"""Prometheus' text format, read: name → series. Only what a page of metrics says now, no types."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

_LINE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_SUFFIXES = ("", "_total", "_bytes", "_seconds", "_seconds_total")
"""What a collector that was told nothing else puts behind the names of its own metrics."""


@dataclass(frozen=True, slots=True)
class Point:
    """One series and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Page:
    """A page of metrics."""

    points: Mapping[str, tuple[Point, ...]]

    def all(self, name: str) -> tuple[Point, ...]:
        """The series of a name, also where the page puts a unit or `_total` behind it."""
        return next((self.points[name + end] for end in _SUFFIXES if name + end in self.points), ())

    def total(self, name: str) -> float:
        """The sum over all series of a name; 0 when there is none."""
        return sum(point.value for point in self.all(name))

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sum for each value of a label."""
        sums: dict[str, float] = defaultdict(float)
        for point in self.all(name):
            sums[point.labels.get(label, "")] += point.value
        return dict(sums)


def read(text: str) -> Page:
    """Parse a page; lines that are none of the format's are left out."""
    found: dict[str, list[Point]] = defaultdict(list)
    for line in text.splitlines():
        match = None if line.startswith("#") else _LINE.match(line)
        if match:
            labels = dict(_LABEL.findall(match["labels"] or ""))
            found[match["name"]].append(Point(labels, _number(match["value"])))
    return Page({name: tuple(points) for name, points in found.items()})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
