"""A plan as files: every sibling's artifacts, each parsed back before it is handed on."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from configparser import RawConfigParser
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Protocol

from loom.deploy.artifacts import needs
from loom.deploy.artifacts.model import Artifact
from loom.deploy.plan.model import Plan

SIBLINGS = (
    "collector",
    "prometheus",
    "rules",
    "alertmanager",
    "jaeger",
    "grafana",
    "proxy",
    "balancer",
    "healthcheck",
    "dashboards",
    "supervisor",
    "environment",
)
"""Modules with `artifacts(plan)`."""
LAST = ("compose", "documents")
"""Modules with `artifacts(plan, others)`, in this order: containers know their mounts, documents know all."""


def render(plan: Plan) -> tuple[Artifact, ...]:
    """Every file of a profile in order of path; deterministic.

    PlanError when a file asks for a label that is dropped. ValueError, which is a mistake of ours, when
    a text cannot be parsed back or two files have one path.
    """
    found: list[Artifact] = []
    for name in SIBLINGS:
        found += _sibling(name)(plan)
    for name in LAST:
        found += _sibling(name)(plan, tuple(found))
    needs.refuse(plan, found)
    for artifact in found:
        _read(artifact, _CHECKS)
    _refuse_duplicates(found)
    return tuple(sorted(found, key=lambda artifact: artifact.path))


def parse(artifact: Artifact) -> object:
    """The artifact read as what its name says it is; ValueError when it is not."""
    return _read(artifact, _READERS)


def _read(artifact: Artifact, readers: Mapping[str, Callable[[str], object]]) -> object:
    reader = readers.get(PurePosixPath(artifact.path).suffix or PurePosixPath(artifact.path).name)
    if not artifact.text.endswith("\n"):
        message = f"{artifact.path} has no newline at its end"
        raise ValueError(message)
    try:
        return reader(artifact.text) if reader else artifact.text
    except Exception as error:
        message = f"{artifact.path} cannot be parsed back: {error}"
        raise ValueError(message) from error


def _sibling(name: str) -> Callable[..., Iterable[Artifact]]:
    # Imported when something is rendered: building dashboards loads a large library.
    function: Callable[..., Iterable[Artifact]] = import_module(f"loom.deploy.artifacts.{name}").artifacts
    return function


def _refuse_duplicates(found: Sequence[Artifact]) -> None:
    twice = [path for path, count in Counter(artifact.path for artifact in found).items() if count > 1]
    if twice:
        message = f"rendered twice: {', '.join(twice)}"
        raise ValueError(message)


def _yaml(text: str) -> object:
    loader = _composed(text)
    return loader.construct_document(loader.root) if loader.root else None


def _composed(text: str) -> "_Loader":
    """The tree of a YAML text, whose syntax and keys are right; its values are not made."""
    # PyYAML's C parser, not ruamel: ten times faster on what took a third of a whole rendering.
    from yaml import CSafeLoader  # noqa: PLC0415 - slow to import, and needed here only

    loader: Any = CSafeLoader(text)
    loader.root = loader.get_single_node()
    _refuse_double_keys(loader.root)
    return loader  # type: ignore[no-any-return] # it has got what the protocol says


class _Loader(Protocol):
    root: object

    def construct_document(self, node: object) -> object: ...


def _refuse_double_keys(node: object) -> None:
    """What PyYAML lets pass and the programs behind do not."""
    value = getattr(node, "value", None)
    if not isinstance(value, list):
        return
    pairs = [pair for pair in value if isinstance(pair, tuple)]
    keys = [key.value for key, _ in pairs if isinstance(key.value, str)]
    if len(set(keys)) != len(keys):
        twice = next(key for key, count in Counter(keys).items() if count > 1)
        message = f"the key {twice!r} stands there twice"
        raise ValueError(message)
    for child in [each for _, each in pairs] or value:
        if child.id != "scalar":
            _refuse_double_keys(child)


def _ini(text: str) -> RawConfigParser:
    parser = RawConfigParser(inline_comment_prefixes=None)
    parser.read_string(text)
    return parser


def _variables(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.partition("=") for line in lines]
    if any(not (name.isidentifier() and sign) for name, sign, _ in pairs):
        message = "not NAME=VALUE"
        raise ValueError(message)
    return {name: value for name, _, value in pairs}


_READERS: dict[str, Callable[[str], object]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": json.loads,
    ".conf": _ini,
    ".env": _variables,
}
_CHECKS: dict[str, Callable[[str], object]] = {**_READERS, ".yaml": _composed, ".yml": _composed}
"""What every rendering does: reads all, makes no values of it where that takes longer than the reading."""
