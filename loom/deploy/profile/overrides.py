"""`--set a.b=c`: a document of one value, laid on the profile last."""

from loom.deploy.profile.document import MAX_DEPTH, resolve
from loom.deploy.profile.problems import EXTENDS
from loom.deploy.profile.tree import Entry, Node, Place
from loom.errors import Problem

FLAG = "--set"
"""Stands where a problem would name its file."""


def override(text: str) -> Node | Problem:
    """The tree of one override: `metrics.namespace=loom`; what is wrong with its form.

    The value is one YAML scalar; nothing after the equals sign is empty text; `null` removes the key that the
    profile has. Unknown keys and wrong types are found with all the others, when the profile is validated.
    """
    path, equals, value = text.partition("=")
    keys = path.split(".")
    if not equals or not all(keys):
        return Problem(f"{text!r} sets nothing", FLAG, hint="write it as metrics.scrape_interval=10s")
    if len(keys) > MAX_DEPTH:
        return Problem(f"sets something more than {MAX_DEPTH} levels deep", FLAG)
    if keys[0] == EXTENDS:
        return Problem("cannot be set: it is read first", FLAG, path=f"$.{EXTENDS}")
    node = Node(_scalar(value), Place(FLAG))
    for key in reversed(keys):
        node = Node({key: Entry(Place(FLAG), node)}, Place(FLAG))
    return node


def _scalar(value: str) -> str | float | bool | None:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else resolve(value) if value else ""
