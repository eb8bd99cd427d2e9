"""One YAML document, read from events: YAML 1.2, with every position, within bounds.

Reading events, not composed nodes, is what makes the bounds hold: an alias counts for all the nodes it stands
for before anything is expanded, and nesting costs no recursion.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from loom.deploy.profile.tree import Entry, Node, Path, Place, Scalar, spell
from loom.errors import Problem, ProfileError

MAX_NODES = 10_000
"""Keys are not counted, values are; far more than a profile can need."""
MAX_DEPTH = 32
_SCALAR_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float")}
_MERGE = "<<"
_OTHER_VERSION = re.compile(r"^%YAML(?!\s+1\.[12]\s*$)", re.MULTILINE)
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
_VERSION, _NO_VERSION = "profiles are YAML 1.2", "remove the %YAML line"


def parse(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The document's tree, and the problems that do not end the reading: keys that stand twice.

    ProfileError for what does: syntax, more than one document, tags, a document beyond the bounds.
    """
    # Late: ruamel is most of what reading a profile costs, and `--help` reads none.
    from ruamel.yaml.error import MarkedYAMLError  # noqa: PLC0415 - the comment above
    from ruamel.yaml.reader import ReaderError  # noqa: PLC0415 - the same

    builder = _Builder(file)
    try:
        builder.take(_yaml().parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        what = ": ".join(str(part) for part in (error.context, error.problem) if part)
        raise ProfileError(*builder.problems, _problem(place, f"not valid YAML: {what}")) from None
    except ReaderError as error:
        place = _place(text, error.position, file)
        what = f"the character U+{ord(text[error.position]):04X}"
        raise ProfileError(_problem(place, f"{what} may not stand in YAML", hint="remove it")) from None
    except (AssertionError, ValueError, OverflowError):
        # ruamel asserts and converts what it reads: a version that there is not, an escape beyond Unicode.
        raise ProfileError(*builder.problems, _unreadable(text, file)) from None
    except _Refusal as refusal:
        raise ProfileError(*builder.problems, refusal.problem) from None
    return builder.root or Node(None, Place(file, 1, 1)), builder.problems


def _unreadable(text: str, file: str) -> Problem:
    """Found by us: ruamel's error says not where."""
    version, escape = _OTHER_VERSION.search(text), _BEYOND_UNICODE.search(text)
    if version:
        return _problem(_place(text, version.start(), file), _VERSION, hint=_NO_VERSION)
    place = _place(text, escape.start(), file) if escape else Place(file)
    return _problem(place, "not valid YAML: an escape for a character that there is not")


def _place(text: str, position: int, file: str) -> Place:
    return Place(file, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))


def _yaml() -> Any:  # noqa: ANN401 - ruamel's own class, imported late
    from ruamel.yaml import YAML  # noqa: PLC0415 - late, as above

    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    return yaml


@cache
def _core_schema() -> Any:  # noqa: ANN401 - the same
    """One for scalars alone: an instance that has read `%YAML 1.1` stays with its `off` that is false."""
    return _yaml()


def _problem(place: Place, message: str, path: Path = (), hint: str = "") -> Problem:
    return Problem(message, place.file, place.line, place.column, spell(path) if path else "", hint)


class _Refusal(Exception):  # noqa: N818 - it never leaves this module
    """Ends the reading."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = _problem(place, message, hint=hint)


@dataclass(slots=True)
class _Level:
    """A mapping or list that is being read."""

    place: Place
    anchor: str | None
    mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    inherited: dict[str, Entry] = field(default_factory=dict)
    """What `<<` brings; own entries win, wherever they stand."""
    key: tuple[str, Place] | None = None
    size: int = 1

    @property
    def wants_key(self) -> bool:
        return self.mapping and self.key is None

    def close(self) -> Node:
        value = {**self.inherited, **self.entries} if self.mapping else tuple(self.items)
        return Node(value, self.place, self.size)

    def inherit(self, node: Node) -> None:
        """Take the entries of the mapping, or of each in the list of mappings, after `<<`; the first wins."""
        for source in node.value if isinstance(node.value, tuple) else (node,):
            if not isinstance(source.value, Mapping):
                raise _Refusal(node.place, "`<<` takes a mapping, or a list of mappings")
            self.inherited = {**source.value, **self.inherited}


@dataclass(slots=True)
class _Builder:
    """Builds the tree from the stream of events."""

    file: str
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    documents: int = 0
    values: int = 0

    def take(self, events: Iterable[Any]) -> None:
        for event in events:
            handle = self._handlers().get(type(event).__name__)
            if handle:
                handle(event, Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1))

    def _handlers(self) -> Mapping[str, Callable[[Any, Place], None]]:
        return {
            "DocumentStartEvent": self._begin,
            "MappingStartEvent": self._open,
            "SequenceStartEvent": self._open,
            "MappingEndEvent": self._close,
            "SequenceEndEvent": self._close,
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
        }

    def _begin(self, event: Any, place: Place) -> None:  # noqa: ANN401 - ruamel's events have no common type
        self.documents += 1
        if self.documents > 1:
            raise _Refusal(place, "a profile is one YAML document, and a second one begins here")
        if event.version not in {None, (1, 2)}:
            raise _Refusal(place, _VERSION, _NO_VERSION)

    def _open(self, event: Any, place: Place) -> None:  # noqa: ANN401 - the same
        _refuse_tag(event, place)
        if self.levels and self.levels[-1].wants_key:
            raise _Refusal(place, "a key must be text")
        if len(self.levels) == MAX_DEPTH:
            raise _Refusal(place, f"nested more than {MAX_DEPTH} levels deep")
        mapping = type(event).__name__ == "MappingStartEvent"
        self.levels.append(_Level(place, event.anchor, mapping))

    def _close(self, event: Any, place: Place) -> None:  # noqa: ANN401 - the same
        del event, place
        level = self.levels.pop()
        self._add(level.close(), level.anchor)

    def _scalar(self, event: Any, place: Place) -> None:  # noqa: ANN401 - the same
        _refuse_tag(event, place)
        if self.levels and self.levels[-1].wants_key:
            self._key(event.value, place)
        else:
            # A quoted scalar is text; a plain one is what the core schema says.
            value = resolve(event.value) if event.implicit[0] else event.value
            self._count(1, place)
            self._add(Node(value, self._seen(event, place)), event.anchor)

    def _alias(self, event: Any, place: Place) -> None:  # noqa: ANN401 - the same
        node = self.anchors.get(event.anchor)
        if node is None:
            raise _Refusal(place, f"the alias *{event.anchor} stands for nothing that is complete before it")
        if self.levels and self.levels[-1].wants_key:
            raise _Refusal(place, "a key must be text")
        self._count(node.size, place)
        self._add(node, None)

    def _seen(self, event: Any, place: Place) -> Place:  # noqa: ANN401 - the same
        """A key without a value has one that stands nowhere: then the key's place."""
        key = self.levels[-1].key if self.levels else None
        return key[1] if key and event.start_mark.index == event.end_mark.index else place

    def _count(self, values: int, place: Place) -> None:
        self.values += values
        if self.values > MAX_NODES:
            raise _Refusal(place, f"more than {MAX_NODES:,} values, those behind aliases included")

    def _key(self, key: str, place: Place) -> None:
        level = self.levels[-1]
        first = level.entries.get(key)
        if first:
            message = f"stands here for the second time; the first is in line {first.place.line}"
            self.problems.append(_problem(place, message, (*self._path(), key), "remove one of them"))
        level.key = (key, place)

    def _path(self) -> Path:
        return tuple(level.key[0] if level.key else len(level.items) for level in self.levels[:-1])

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.levels:
            self.root = node
            return
        level = self.levels[-1]
        level.size += node.size
        if level.key is None:
            level.items.append(node)
            return
        (key, place), level.key = level.key, None
        if key == _MERGE:
            level.inherit(node)
        else:
            level.entries[key] = Entry(place, node)


def _refuse_tag(event: Any, place: Place) -> None:  # noqa: ANN401 - ruamel's events have no common type
    if event.tag is not None:
        raise _Refusal(place, f"a tag such as {event.tag} has no place in a profile", "remove it")


def resolve(text: str) -> Scalar:
    """A plain scalar as YAML 1.2's core schema reads it: `off` is text, `0x10` is 16."""
    from ruamel.yaml.nodes import ScalarNode  # noqa: PLC0415 - late, as above

    yaml = _core_schema()
    tag = yaml.resolver.resolve(ScalarNode, text, (True, False))
    if str(tag) not in _SCALAR_TAGS:
        return text
    try:
        value: Scalar = yaml.constructor.construct_object(ScalarNode(tag, text))
        str(value)  # one that is written in hexadecimal is read, and then cannot be shown
    except ValueError:  # such as an integer of five thousand digits
        return text
    return value
