"""A YAML document as a tree in which every key and value knows where it stands."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Scalar = None | bool | int | float | str
Plain = Scalar | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True, slots=True)
class Place:
    """A file and a position in it, 1-based; line 0 when there is none, as for `--set`."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, a list of nodes or a mapping of entries."""

    value: "Scalar | tuple[Node, ...] | Mapping[str, Entry]"
    place: Place
    size: int = field(default=1, compare=False)
    """Nodes in it, itself included and aliases expanded."""

    @property
    def entries(self) -> "Mapping[str, Entry]":
        """Its entries; none when it is not a mapping."""
        return self.value if isinstance(self.value, Mapping) else {}

    def plain(self) -> Plain:
        """The value without places."""
        if isinstance(self.value, Mapping):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, key: str | int) -> "Node | None":
        """The node below a key or an index."""
        if isinstance(self.value, tuple):
            inside = isinstance(key, int) and key < len(self.value)
            return self.value[int(key)] if inside else None
        entry = self.entries.get(str(key))
        return entry.node if entry else None

    def along(self, path: Path) -> "Iterator[Node]":
        """This node and those along the path, as far as they exist."""
        node: Node | None = self
        yield self
        for key in path:
            node = node.child(key) if node else None
            if node is None:
                return
            yield node


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a mapping, and where its key stands."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The document behind a value; all origins are equal: it is no part of what the value is."""

    node: Node | None = None

    def __eq__(self, other: object) -> bool:
        """True for every origin."""
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        """The same for every origin."""
        return 0

    def place(self, path: Path) -> Place | None:
        """Where the value at a path stands; None when the document does not hold it."""
        nodes = list(self.node.along(path)) if self.node else []
        return nodes[-1].place if len(nodes) == len(path) + 1 else None


def merge(base: Node, over: Node) -> Node:
    """`over` laid on `base`: mappings merge key by key, everything else replaces.

    A null removes the key that the base has (as in a JSON merge patch, RFC 7396): its default holds again.
    """
    if not (isinstance(base.value, Mapping) and isinstance(over.value, Mapping)):
        return over
    merged = dict(base.value)
    for key, entry in over.value.items():
        below = merged.get(key)
        if below and entry.node.value is None:
            del merged[key]
        else:
            merged[key] = Entry(entry.place, merge(below.node, entry.node)) if below else entry
    return Node(merged, over.place)


def spell(path: Path) -> str:
    """`$.alerting.receivers[0].name`; keys that are no plain words are quoted, control characters escaped."""
    parts = [
        f"[{key}]" if isinstance(key, int) else f".{key}" if _PLAIN.fullmatch(key) else f"[{json.dumps(key)}]"
        for key in path
    ]
    return "".join(["$", *parts])
