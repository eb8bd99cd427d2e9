"""A profile as its single values: path → value, words, description; of every field there will be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from loom.deploy.profile.described import descriptions
from loom.deploy.profile.quantity import Quantity
from loom.deploy.profile.sampler import Sampler


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a profile."""

    path: str
    """`metrics.retention.time`; of a list of sections `alerting.receivers[oncall].url_secret`."""
    key: object
    """What is compared: `60s` and `1m` have the same."""
    text: str
    description: str
    """The field's own docstring."""

    @property
    def number(self) -> float | None:
        """The value as a number; None when it is none."""
        is_number = isinstance(self.key, int | float) and not isinstance(self.key, bool)
        return float(str(self.key)) if is_number else None


def leaves(section: BaseModel) -> dict[str, Leaf]:
    """Every value of a section and of those below it, by path."""
    return {leaf.path: leaf for leaf in _section(section, "")}


def _section(section: BaseModel, prefix: str) -> Iterator[Leaf]:
    said = descriptions(type(section))
    for name in type(section).model_fields:
        yield from _value(getattr(section, name), f"{prefix}{name}", said.get(name, ""))


def _value(value: object, path: str, description: str) -> Iterator[Leaf]:
    if isinstance(value, BaseModel):
        yield from _section(value, f"{path}.")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _value(one, f"{path}.{name}", description)
    elif isinstance(value, tuple | list) and any(isinstance(one, BaseModel) for one in value):
        yield from _items(value, path, description)
    else:
        yield Leaf(path, _key(value), _text(value), description)


def _items(items: tuple[object, ...] | list[object], path: str, description: str) -> Iterator[Leaf]:
    """Which there are and in which order, and then what each of them says."""
    names = [_name(item, number) for number, item in enumerate(items)]
    yield Leaf(path, tuple(names), ", ".join(names), description)
    for name, item in zip(names, items, strict=True):
        yield from _value(item, f"{path}[{name}]", description)


def _name(item: object, number: int) -> str:
    """By `name`, or by what the section says first; by number where that is no text."""
    fields = list(type(item).model_fields) if isinstance(item, BaseModel) else []
    chosen = "name" if "name" in fields else fields[0] if fields else ""
    value = getattr(item, chosen, None)
    return value if isinstance(value, str) else str(number)


def _key(value: object) -> object:
    """What the value amounts to, however it was written."""
    match value:
        case Quantity():
            return value.base
        case Sampler():
            return value.ratio
        case Enum():
            return value.value
        case list() | tuple():
            return tuple(_key(one) for one in value)
        case _:
            return value


def _text(value: object) -> str:
    match value:
        case None | () | [] | "":
            return "none"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:.12g}"
        case list() | tuple():
            return " ".join(_text(one) for one in value)
        case _:
            return str(value)
