"""Differences between two profiles for people: grouped, and what differs in the same way said once."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from loom.deploy.drift.profiles.line import Effect, Line

MARKS = {Effect.LOSES: "-", Effect.GAINS: "+", Effect.CHANGES: "~"}
"""How a line says what the second profile has compared with the first."""

_WIDTH = 100
"""Columns in which both values stand on one line."""


def lines(found: Sequence[Line], names: tuple[str, str]) -> Iterator[str]:
    """A headline, and for each group its differences; lines without their ends."""
    a, b = names
    if not found:
        yield f"{a} → {b}: no differences"
        return
    marks = ", ".join(f"{mark} {b} {effect}" for effect, mark in MARKS.items() if effect in _effects(found))
    yield f"{a} → {b}: {len(found)} difference{'s' * (len(found) > 1)}   ({marks})"
    for name, group in groupby(found, key=lambda line: line.group):
        yield ""
        yield str(name)
        for _, alike in groupby(group, key=_alike):
            yield from _block(list(alike), names)


def _effects(found: Sequence[Line]) -> set[Effect]:
    return {line.effect for line in found}


def _alike(line: Line) -> tuple[str, ...]:
    """What makes lines one: several edges that gain the same."""
    return (line.effect, line.path, line.a, line.b, line.meaning)


def _block(alike: list[Line], names: tuple[str, str]) -> Iterator[str]:
    first = alike[0]
    for line in alike:
        yield f"  {MARKS[line.effect]} {line.what}"
    pair = [f"{name}: {value}" for name, value in zip(names, (first.a, first.b), strict=True)]
    together = " · ".join(pair)
    for text in [together] if len(together) <= _WIDTH else pair:
        yield f"      {text}"
    if first.meaning:
        yield f"      {first.meaning}"
