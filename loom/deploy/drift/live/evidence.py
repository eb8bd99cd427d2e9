"""What is known of a deployment before it is judged: files, programs and the pages they answered. Data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.deploy.plan.model import Plan, Purpose, Service

OK = 200
Value = str | int | float | bool | None | tuple["Value", ...] | frozenset[str]


@dataclass(frozen=True, slots=True)
class Program:
    """One program as it runs, or as it was rendered: the same words for both."""

    facts: Mapping[str, Value]
    """`argument --config.file`, `environment GOMEMLIMIT`, `mem_limit` … → value."""
    started: float = 0.0
    """Seconds since 1970; 0 for what was rendered, and for what does not run."""
    mounts: Mapping[str, str] = field(default_factory=dict)
    """Path in the container → path among the rendered files; only of what was rendered."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer over HTTP."""

    status: int
    """0 when nobody answered."""
    text: str
    """The body; or why nobody answered."""
    body: Any = None
    """Parsed, when it is JSON."""

    def at(self, *keys: str) -> Any:  # noqa: ANN401 - JSON
        """The value below these keys; None when the answer is an error or has another shape."""
        found = self.body if self.status == OK else None
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


@dataclass(frozen=True, slots=True)
class File:
    """One rendered file: as it was rendered, and as it lies there now."""

    rendered: str
    now: str | None
    """None when it is gone."""
    changed: float = 0.0
    """When it was last written, in seconds since 1970."""

    @property
    def edited(self) -> bool:
        """Whether somebody has changed it since."""
        return self.now != self.rendered


Question = tuple[Service, Purpose, str]
"""Service, port and path that are asked."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a judgement needs."""

    plan: Plan
    root: str
    """Folder of the rendered files on this machine."""
    files: Mapping[str, File]
    """By path below it."""
    wanted: Mapping[str, Program]
    """Service → as it was rendered; those that were started only."""
    running: Mapping[str, Program]
    """Service → as it runs."""
    pages: Mapping[Question, Page]
    unasked: Mapping[str, str] = field(default_factory=dict)
    """Service → why it is no part of what was started."""
