"""The fakes of both seams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loom.deploy.drift.live.evidence import Page, Program, Question
from loom.deploy.engine.deployment import Deployment


@dataclass
class FakeRunner:
    """Programs as data."""

    rendered: dict[str, Program] = field(default_factory=dict)
    live: dict[str, Program] = field(default_factory=dict)
    source: str = "process"
    strange: dict[str, list[str]] = field(default_factory=dict)

    def wanted(self, deployment: Deployment, texts: Mapping[str, str]) -> dict[str, Program]:
        """What it was given."""
        del deployment, texts
        return self.rendered

    def running(self, deployment: Deployment) -> dict[str, Program]:
        """What it was given."""
        del deployment
        return self.live

    def unknown(self, texts: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
        """What it was given."""
        del texts
        return self.strange


@dataclass
class FakePages:
    """Answers as data; nobody is there where there is none."""

    answers: dict[Question, Page] = field(default_factory=dict)

    def get(self, question: Question) -> Page:
        """What it was given."""
        return self.answers.get(question, Page(0, "connection refused"))
