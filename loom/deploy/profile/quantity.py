"""Durations and sizes as people write them: `30d`, `1280MiB`; parsed once, written back the same way."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic_core import PydanticCustomError

from loom.deploy.profile.scalar import Scalar
from loom.deploy.profile.spelling import show


@dataclass(frozen=True, slots=True, order=True)
class Quantity(Scalar):
    """A whole number of a unit, more than zero; compares by `base`, the amount in the smallest unit."""

    base: int
    text: str

    units: ClassVar[dict[str, int]] = {}
    words: ClassVar[dict[str, str]] = {}
    """What people write instead of a unit, in small letters: `days` for `d`."""
    noun: ClassVar[str] = ""
    most: ClassVar[str] = ""
    """What the programs behind can count up to, and some room."""

    @classmethod
    def parse(cls, text: object) -> Self:
        """Parse `30d`; ValueError, with a `hint` in its context, says which units there are."""
        match = re.fullmatch(cls.pattern(), text) if isinstance(text, str) else None
        if match is None:
            facts = {"value": show(text), "noun": cls.noun, "hint": cls._hint(text)}
            kind, message = "quantity", "{value} is not a {noun}"
            raise PydanticCustomError(kind, message, facts)
        quantity = cls(int(match[1]) * cls.units[match[2]], match[0])
        if cls.most and quantity.base > cls._base(cls.most):
            kind, message = "quantity_most", "{value} is more than {most}"
            raise PydanticCustomError(kind, message, {"value": show(text), "most": cls.most, "hint": ""})
        return quantity

    @classmethod
    def pattern(cls) -> str:
        """A regular expression, for editors too: at most 12 digits, not all of them zero."""
        return rf"^(0*[1-9][0-9]{{0,11}})({'|'.join(cls.units)})$"

    @classmethod
    def _base(cls, text: str) -> int:
        number, unit = re.findall("[0-9]+|[A-Za-z]+", text)
        return int(number) * cls.units[unit]

    @classmethod
    def _hint(cls, text: object) -> str:
        meant = re.fullmatch(r"\s*([0-9]{1,12})\s*([A-Za-z]+)\s*", text) if isinstance(text, str) else None
        unit = cls._unit(meant[2]) if meant else None
        if meant and unit and int(meant[1]):
            return f"did you mean '{meant[1]}{unit}'?"
        known = ", ".join(cls.units)
        return f"write a whole number above 0 and one of {known}, as {cls.examples[0]}"

    @classmethod
    def _unit(cls, written: str) -> str | None:
        if written in cls.units:
            return written
        small = {unit.lower(): unit for unit in cls.units} | cls.words
        return small.get(written.lower())


class Duration(Quantity):
    """A duration; `base` is milliseconds. The units are Prometheus' own."""

    __slots__ = ()
    units: ClassVar[dict[str, int]] = {
        "ms": 1,
        "s": 1000,
        "m": 60_000,
        "h": 3_600_000,
        "d": 86_400_000,
        "w": 604_800_000,
        "y": 31_536_000_000,
    }
    words: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("millisecond", "milliseconds"), "ms"),
        **dict.fromkeys(("second", "seconds", "sec", "secs"), "s"),
        **dict.fromkeys(("minute", "minutes", "min", "mins"), "m"),
        **dict.fromkeys(("hour", "hours"), "h"),
        **dict.fromkeys(("day", "days"), "d"),
        **dict.fromkeys(("week", "weeks"), "w"),
        **dict.fromkeys(("year", "years"), "y"),
    }
    examples: ClassVar[tuple[str, ...]] = ("30d",)
    noun: ClassVar[str] = "duration"
    most: ClassVar[str] = "100y"

    @property
    def seconds(self) -> float:
        """In seconds."""
        return self.base / 1000


class Size(Quantity):
    """A size; `base` is bytes. `GB` and `GiB` are both 2³⁰: Prometheus and Docker read `50GB` so.

    The units are those of Prometheus: it refuses `kB`.
    """

    __slots__ = ()
    units: ClassVar[dict[str, int]] = {
        "B": 1,
        "KB": 2**10,
        "MB": 2**20,
        "GB": 2**30,
        "TB": 2**40,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
        "TiB": 2**40,
    }
    words: ClassVar[dict[str, str]] = {
        letter: f"{unit}iB" for unit in "KMGT" for letter in (unit.lower(), f"{unit.lower()}i")
    }
    examples: ClassVar[tuple[str, ...]] = ("50GB",)
    noun: ClassVar[str] = "size"
    most: ClassVar[str] = "1024TB"

    @property
    def mib(self) -> int:
        """In whole MiB, rounded down."""
        return self.base // 2**20
