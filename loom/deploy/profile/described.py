"""What stands below each key of a section in its class, for the schema.

pydantic reads it too, from every class whenever one is imported: a fifteenth of a whole rendering.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel

from loom.deploy.profile.section import Section


def sections(base: type[Section] = Section) -> Iterator[type[Section]]:
    """Every kind of section that has been defined."""
    for one in base.__subclasses__():
        yield one
        yield from sections(one)


@cache
def descriptions(section: type[BaseModel]) -> dict[str, str]:
    """Key → the text below it, inherited ones too."""
    found: dict[str, str] = {}
    for one in reversed(section.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found |= _own(one)
    return found


def _own(section: type[BaseModel]) -> dict[str, str]:
    (tree,) = ast.parse(dedent(inspect.getsource(section))).body
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        one.target.id: inspect.cleandoc(after.value.value)
        for one, after in pairwise(body)
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
