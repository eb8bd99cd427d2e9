"""The course of a test's series, minute by minute, and what a rule must make of it: arithmetic, no PromQL.

promtool evaluates the rules; what it must find is worked out here from the numbers alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby

START = 10_000.0
"""Where counters begin: one that begins at 0 is not extrapolated beyond it, which would bend every edge."""
GRAIN = 1024
"""Parts of one that counters grow by: sums of these are exact, and a sum that is not looks like a restart."""
GONE = None
"""The value of a series that is not there."""


@dataclass(frozen=True, slots=True)
class Course:
    """The value of a series at each minute from 0 on; None where it is not there."""

    values: tuple[float | None, ...]

    def __len__(self) -> int:
        """How many minutes."""
        return len(self.values)

    def __add__(self, other: "Course") -> "Course":
        """Both together."""
        pairs = zip(self.values, other.values, strict=True)
        return Course(tuple(one + two for one, two in pairs if one is not None and two is not None))

    def __mul__(self, factor: float) -> "Course":
        """All values times a number."""
        return Course(tuple(value if value is None else value * factor for value in self.values))

    def at(self, minute: int) -> float:
        """The value at a minute; ValueError when it is not there."""
        value = self.values[minute]
        if value is None:
            message = f"there is no value at minute {minute}"
            raise ValueError(message)
        return value

    def grown(self, minute: int, window: int) -> float:
        """By how much it grew between the first and the last sample of a window that ends there."""
        return self.at(minute) - self.at(minute - self._steps(minute, window))

    def increase(self, minute: int, window: int) -> float:
        """The same, stretched to the whole window as Prometheus does, but never back beyond 0."""
        steps, grown = self._steps(minute, window), self.grown(minute, window)
        if not grown:
            return 0.0
        # The window begins one step before its first sample, or long before the series: half a step then.
        stretch = 1.0 if steps == window - 1 else 0.5
        back = steps * self.at(minute - steps) / grown
        return grown * (steps + min(stretch, back)) / steps

    def occurred(self, minute: int, window: int) -> float:
        """The same, where all that a series says counts while it is younger than the window."""
        if self.values[minute] is GONE:
            return 0.0
        young = minute < window or self.values[minute - window] is GONE
        return self.at(minute) if young else self.increase(minute, window)

    def least(self, minute: int, window: int) -> float:
        """The smallest value within a window."""
        return min(self.at(each) for each in range(minute - self._steps(minute, window), minute + 1))

    def ahead(self, minute: int, window: int, later: float) -> float:
        """What the straight line closest to the window's values says some minutes later."""
        level, slope = self._line(minute, window)
        return level + slope * later

    def slope(self, minute: int, window: int) -> float:
        """The slope of that line, per minute."""
        return self._line(minute, window)[1]

    def _line(self, minute: int, window: int) -> tuple[float, float]:
        """The line's value at the minute, and its slope; no slope for fewer than two values."""
        steps = self._steps(minute, window)
        xs = range(-steps, 1)
        ys = [self.at(minute + x) for x in xs]
        middle, mean = sum(xs) / len(xs), sum(ys) / len(ys)
        spread = sum((x - middle) ** 2 for x in xs)
        rise = sum((x - middle) * (y - mean) for x, y in zip(xs, ys, strict=True))
        slope = rise / spread if spread else 0.0
        return mean - slope * middle, slope

    @staticmethod
    def _steps(minute: int, window: int) -> int:
        return min(minute, window - 1)

    def __str__(self) -> str:
        """As promtool writes it: `0+5x60` is 0, 5, … up to 300."""
        return _written(self.values)


def counted(*stretches: tuple[float, int], start: float = START) -> Course:
    """A counter: how much it grows in a minute, and for how many minutes, one stretch after the other."""
    values: list[float | None] = [start]
    level = start
    for pace, lasting in stretches:
        grain = round(pace * GRAIN) / GRAIN
        for _ in range(lasting):
            level += grain
            values.append(level)
    return Course(tuple(values))


def held(*stretches: tuple[float | None, int]) -> Course:
    """A gauge: a value, and for how many minutes."""
    return Course(tuple(value for value, lasting in stretches for _ in range(lasting)))


def firing(truth: Callable[[int], bool], hold: int, last: int) -> tuple[bool, ...]:
    """At each minute up to the last whether an alert fires whose condition must hold for `hold` minutes."""
    found, since = [], None
    for minute in range(last + 1):
        since = (minute if since is None else since) if truth(minute) else None
        found.append(since is not None and minute - since >= hold)
    return tuple(found)


def minutes(duration: str) -> int:
    """`10m` and `1h` as minutes; KeyError for another unit."""
    return int(duration[:-1]) * {"m": 1, "h": 60, "d": 1440}[duration[-1]]


@cache
def _written(values: tuple[float | None, ...]) -> str:
    # Remembered: three of four series take a course that another one takes too.
    runs = []
    for there, group in groupby(values, lambda value: value is not None):
        stretch = list(group)
        runs += _runs(value or 0.0 for value in stretch) if there else _absence(len(stretch))
    return " ".join(runs)


def _absence(count: int) -> list[str]:
    # A mark that the series has ended, or it would be seen for five more minutes.
    return ["stale", *([f"_x{count - 1}"] if count > 1 else [])]


def _runs(values: Iterable[float]) -> list[str]:
    """Stretches of even growth, as few as there are."""
    rest, found = list(values), []
    while rest:
        step = rest[1] - rest[0] if len(rest) > 1 else 0.0
        length = 1
        while length < len(rest) and rest[length] - rest[length - 1] == step:
            length += 1
        found.append(_run(rest[0], step, length))
        rest = rest[length:]
    return found


def _run(first: float, step: float, length: int) -> str:
    if length == 1:
        return f"{first:.16g}"
    pace = f"{'+' if step > 0 else '-'}{abs(step):.16g}" if step else ""
    return f"{first:.16g}{pace}x{length - 1}"
