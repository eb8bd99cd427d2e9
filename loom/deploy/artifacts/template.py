"""Blueprints filled in: Python decides, Jinja writes."""

import json
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

_PACKAGE = Path(__file__).parents[2]


class Compiled(FileSystemBytecodeCache):
    """Compiled blueprints, kept where Python keeps compiled modules, and only if it does.

    To compile them takes a fifth of a whole rendering. What cannot be written or read is compiled again.
    """

    def __init__(self, folder: Path) -> None:
        """For the blueprints of a folder."""
        super().__init__(str(Path(cache_from_source(str(folder / "blueprints.py"))).parent), "%s.pyc")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Jinja compares what the blueprint was, and its own version and Python's."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - torn by a power cut: whatever pickle makes of it
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """By a rename, so that nobody reads half of it."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def _environment() -> Environment:
    # A wheel carries the blueprints inside the package; a checkout has them beside it.
    inside = _PACKAGE / "_blueprints"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "blueprints"
    environment = Environment(
        loader=FileSystemLoader(folder),
        bytecode_cache=Compiled(folder),
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
