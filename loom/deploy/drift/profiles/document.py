"""Differences between two profiles for machines."""

from collections.abc import Sequence
from dataclasses import asdict

from loom.deploy.drift.profiles.line import Line


def document(found: Sequence[Line], names: tuple[str, str]) -> dict[str, object]:
    """`{a, b, same, differences: [{group, effect, what, a, b, meaning, path}]}`."""
    return {
        "a": names[0],
        "b": names[1],
        "same": not found,
        "differences": [{key: str(value) for key, value in asdict(line).items()} for line in found],
    }
