"""What validation answers: one verdict for each artifact and the program that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.toolchain import GrafanaSchema
from loom.errors import Problem


class Outcome(StrEnum):
    """What came of a check."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One artifact, one program, one answer."""

    artifact: str
    """Path of the artifact."""
    check: Check
    outcome: Outcome
    problems: tuple[Problem, ...] = ()
    """Why it was refused, in the program's own words, or what is missing to run the check."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The real programs of this machine."""

    paths: Mapping[str, Path] = field(default_factory=dict)
    """Program name → binary; those that are not installed are not in it."""
    schema: GrafanaSchema | None = None
    """What dashboards are checked with."""
    compose: tuple[str, ...] = ()
    """The command of Docker Compose: the plugin or the stand-alone program; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A temporary copy of everything that was rendered."""

    folder: Path
    programs: Programs
    environment: Mapping[str, str]
    """What the programs may see of the environment, and what the configuration reads from it."""

    def file(self, artifact: Artifact) -> Path:
        """Where the artifact lies in the copy."""
        return self.folder / artifact.path


def accepted(artifact: Artifact) -> Verdict:
    """The program took it."""
    return Verdict(artifact.path, artifact.check, Outcome.ACCEPTED)


def refused(artifact: Artifact, *messages: str) -> Verdict:
    """The program did not take it, and said so."""
    problems = tuple(Problem(message, file=artifact.path) for message in messages)
    return Verdict(artifact.path, artifact.check, Outcome.REFUSED, problems)
