"""A profile from its files: read, extended, overridden, validated; every problem at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from loom.deploy.profile import forms
from loom.deploy.profile.document import parse
from loom.deploy.profile.model import Profile
from loom.deploy.profile.overrides import override
from loom.deploy.profile.problems import EXTENDS, explain
from loom.deploy.profile.source import SUFFIX, exists, find, lookup, names, read
from loom.deploy.profile.spelling import meant, show
from loom.deploy.profile.tree import Node, merge
from loom.errors import Problem, ProfileError

MAX_FILES = 16
"""Longest chain of `extends`."""


def load(source: Path | str, overrides: Sequence[str] = (), folder: Path | None = None) -> Profile:
    """Load a profile by its path, or by its name from `folder` (default `./profiles`, then those we ship).

    `extends: base` lays the file on the profile `base.yaml` beside it, or else on the profile of that name;
    `extends: teams/base.yaml` on a file below its own folder, never above it. Mappings merge key by key, at
    every level; everything else, lists too, replaces; a null removes the base's key: the default holds again.
    A base may extend another. Its `name` is its own and is not inherited.

    `overrides` are texts `a.b=c`, laid on last, in their order; see `loom.deploy.profile.overrides`.

    ProfileError with all the problems found, each in the file and at the line where the value stands.
    """
    path, chain = find(source, folder), _Chain(folder)
    try:
        node = chain.read(path)
    except ProfileError as error:
        raise ProfileError(*chain.problems, *error.problems) from None
    problems = chain.problems
    for text in overrides:
        over = override(text)
        if isinstance(over, Problem):
            problems.append(over)
        else:
            node = merge(node, over)
    return _validate(node, [*problems, *_name(node, path)])


def _validate(node: Node, problems: list[Problem]) -> Profile:
    profile = None
    try:
        profile = Profile.model_validate(node.plain())
    except ValidationError as error:
        problems = [*problems, *explain(error, Profile, node)]
    if problems or profile is None:
        raise ProfileError(
            *sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
        )
    return profile.originate(node)


def _shapeless(node: Node) -> Problem:
    place, hint = node.place, "write at least name: and the profile's name"
    message = "is empty" if node.value is None else f"is {show(node.plain())}, not a mapping of keys"
    return Problem(message, place.file, place.line, place.column, hint=hint)


def _name(node: Node, path: Path) -> list[Problem]:
    """A profile is found by its file, and writes into a folder of its name: they must agree."""
    name = node.child("name")
    if name is None or not isinstance(name.value, str) or name.value == path.stem:
        return []
    if not re.fullmatch(forms.NAME, name.value):  # then that is what is wrong with it
        return []
    message = f"{show(name.value)} is not the name of the file, {path.stem!r}"
    return [_at(name, message, "$.name", "rename one of them")]


def _at(node: Node, message: str, path: str, hint: str = "") -> Problem:
    return Problem(message, node.place.file, node.place.line, node.place.column, path, hint)


@dataclass(slots=True)
class _Chain:
    """A file and all that it extends."""

    folder: Path | None
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path) -> Node:
        """The tree of the file, laid on those of its bases."""
        self.files.append(path)
        node, problems = parse(read(path), str(path))
        self.problems.extend(problems)
        if not isinstance(node.value, Mapping):
            raise ProfileError(_shapeless(node))
        extends = node.child(EXTENDS)
        own = _without(node, EXTENDS)
        if extends is None:
            return own
        base = self._base(extends, path)
        return merge(_without(self.read(base), "name"), own) if base else own

    def _base(self, extends: Node, path: Path) -> Path | None:
        """The file that is extended; None, with a problem noted, when it cannot be."""
        written = extends.value
        if not isinstance(written, str):
            self._note(extends, f"must be the name of a profile, not {show(extends.plain())}")
            return None
        if not _inside(written):
            hint = "write a profile's name, or a path below this file's folder"
            self._note(extends, f"{show(written)} leads out of the profile's folder", hint)
            return None
        base = self._find(written, path.parent)
        if base is None:
            hint = meant(written, sorted({*names(path.parent), *names(self.folder)} - {path.stem}))
            self._note(extends, f"there is no profile {show(written)} to extend{self._way()}", hint)
        elif base.resolve() in {file.resolve() for file in self.files}:
            self._note(extends, f"extends itself{self._way(base)}", "remove one of the extends")
            return None
        elif len(self.files) == MAX_FILES:
            self._note(extends, f"is the {MAX_FILES}th file in a row that extends another")
            return None
        return base

    def _find(self, written: str, beside: Path) -> Path | None:
        if written.endswith(SUFFIX) or "/" in written:
            return beside / written if exists(beside / written) else None
        return lookup(written, beside) or lookup(written, self.folder)

    def _way(self, *more: Path) -> str:
        """The chain so far, when there is more of it than the reader has before their eyes."""
        files = [path.name for path in (*self.files, *more)]
        return f": {' → '.join(files)}" if len(files) > 1 else ""

    def _note(self, extends: Node, message: str, hint: str = "") -> None:
        self.problems.append(_at(extends, message, f"$.{EXTENDS}", hint))


def _inside(written: str) -> bool:
    path = PurePosixPath(written)
    return bool(written) and not path.is_absolute() and ".." not in path.parts and "\\" not in written


def _without(node: Node, key: str) -> Node:
    entries = {name: entry for name, entry in node.entries.items() if name != key}
    return Node(entries, node.place) if key in node.entries else node
