"""Blueprints filled in: Python decides, Jinja writes."""

import json
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PACKAGE = Path(__file__).parents[2]


@cache
def _environment() -> Environment:
    # A wheel carries the blueprints inside the package; a checkout has them beside it.
    inside = _PACKAGE / "_blueprints"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "blueprints"
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - YAML, JSON, INI and Markdown, never HTML
    )
    environment.filters["quote"] = quote
    return environment


def fill(blueprint: str, **facts: object) -> str:
    """The text of `blueprints/<blueprint>` with the facts filled in; an unknown name in it is an error."""
    return _environment().get_template(blueprint).render(facts)


def quote(value: object) -> str:
    """A scalar as JSON, which is also a YAML scalar: `"text"`, `1`, `true`."""
    return json.dumps(value if isinstance(value, (int, float, bool)) else str(value), ensure_ascii=False)
