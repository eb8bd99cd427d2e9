"""`loom-deploy verify`: its shapes of output, and what it refuses."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from loom.cli import verify
from loom.contract import scopes
from loom.deploy import api
from loom.deploy.verify import Finding, Proof, Verdict
from loom.errors import MissingTelemetryError, WriteError

FOUND = Finding("metric", "loom_a", Verdict.FOUND, "1 series")
MISSING = Finding("metric", "loom_a", Verdict.MISSING, "never recorded", "wait", "runtime")


@dataclass
class Library:
    """Answers with its proofs in turn, and keeps what it was asked."""

    answers: list[Finding]
    questions: list[dict[str, Any]] = field(default_factory=list)

    def verify(self, _: object, **question: object) -> Proof:
        self.questions.append(question)
        return Proof([self.answers[min(len(self.questions), len(self.answers)) - 1]])


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library([FOUND])
    monkeypatch.setattr(api, "verify", library.verify)
    monkeypatch.setattr(verify, "find", lambda *_: None)
    return library


def run(*arguments: str) -> Result:
    return CliRunner().invoke(verify.command, arguments)


@pytest.mark.usefixtures("library")
def test_json_is_the_only_thing_on_standard_output() -> None:
    assert json.loads(run("--json").stdout)["good"] == 1


def test_missing_telemetry_is_in_the_json_and_in_the_exit_code(
    library: Library,
) -> None:
    library.answers = [MISSING]
    result = run("--json")
    assert isinstance(result.exception, MissingTelemetryError)
    assert json.loads(result.stdout)["findings"][0]["lost_at"] == "runtime"
    assert len(library.questions) == 1


def test_components_are_asked_for_by_their_scopes(library: Library) -> None:
    run("--component", "event_bus", "--component", "router")
    run()
    assert [question["components"] for question in library.questions] == [
        [scopes.EVENT_BUS, scopes.ROUTER],
        scopes.ALL,
    ]


def test_junit_is_written_also_when_something_is_missing(library: Library, tmp_path: Path) -> None:
    library.answers = [MISSING]
    result = run("--junit", str(tmp_path / "out.xml"))
    assert isinstance(result.exception, MissingTelemetryError)
    assert ET.parse(tmp_path / "out.xml").find("testsuite/testcase/failure") is not None  # noqa: S314 - our own
    assert [path.name for path in tmp_path.iterdir()] == ["out.xml"]
    assert library.questions


def test_a_junit_file_that_cannot_be_written_is_refused_before_anything_is_asked(
    library: Library, tmp_path: Path
) -> None:
    result = run("--junit", str(tmp_path / "no" / "out.xml"))
    assert isinstance(result.exception, WriteError)
    assert "no/out.xml" in str(result.exception)
    assert library.questions == []


@pytest.mark.usefixtures("library")
def test_watch_and_junit_together_are_refused() -> None:
    result = run("--watch", "--junit", "out.xml")
    assert result.exit_code == 2
    assert "take one of them" in result.stderr


def test_watch_prints_the_first_look_and_then_only_changes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.answers = [MISSING, MISSING, FOUND, FOUND]

    def wait(seconds: float) -> None:
        assert seconds > 0
        if len(library.questions) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("loom.cli.verify.time.sleep", wait)
    result = run("--watch")
    first, total, *later = result.stdout.splitlines()
    assert "missing" in first
    assert total.startswith("0 of 1")
    [change] = [line for line in later if line]
    assert change.endswith("metric loom_a missing → found: 1 series")
    assert all(question["timeout"] == 0 for question in library.questions)
