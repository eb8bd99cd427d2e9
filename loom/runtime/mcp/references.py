"""`${NAME}` in a configuration document: how a secret stays in the environment."""

import re
from collections.abc import Mapping
from typing import Any

from loom.errors import Problem

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)

EXPANDED = ("env", "headers", "url")
"""The keys in which references are replaced; command lines are public, so that they are left out."""


def expand(
    entry: Mapping[str, Any], environ: Mapping[str, str], path: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The entry with its references replaced, and a problem for each variable that is not set."""
    problems: list[Problem] = []

    def replace(value: object, place: str) -> object:
        if isinstance(value, Mapping):
            return {key: replace(inner, f"{place}.{key}") for key, inner in value.items()}
        if not isinstance(value, str):
            return value
        problems.extend(_unset(name, place) for name in REFERENCE.findall(value) if name not in environ)
        return REFERENCE.sub(lambda found: environ.get(found[1], found[0]), value)

    expanded = {
        key: replace(value, f"{path}.{key}") if key in EXPANDED else value for key, value in entry.items()
    }
    inherit = entry.get("inherit")
    for number, name in enumerate(inherit if isinstance(inherit, list) else ()):
        if isinstance(name, str) and name and name not in environ:
            problems.append(_unset(name, f"{path}.inherit[{number}]"))
    return expanded, problems


def _unset(name: str, path: str) -> Problem:
    return Problem(f"the environment variable {name} is not set", path=path)
