"""Every file of tests/cases/profiles: what people see on the command line, exit code, nothing written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from loom.cli.main import run
from loom.deploy.plan import derive
from loom.deploy.profile import load
from loom.deploy.profile.schema import schema

CASES = Path(__file__).parents[2] / "cases" / "profiles"
BAD = sorted(path.stem for path in (CASES / "bad").glob("*.yaml"))
GOOD = sorted(path.stem for path in (CASES / "good").glob("*.yaml"))

# Refused for what no schema of one document can say: YAML itself, other files, the file's name, the plan.
BEYOND_A_SCHEMA = {
    "alias-expansion-bomb",
    "alias-to-itself",
    "control-character",
    "duplicate-key",
    "duration-beyond-what-go-counts",
    "escape-beyond-unicode",
    "extends-a-base-with-a-missing-base",
    "extends-a-loop",
    "extends-a-missing-base",
    "extends-an-empty-base",
    "extends-itself",
    "name-of-another-file",
    "nested-too-deep",
    "not-in-utf-8",
    "not-text",
    "number-that-is-none",
    "second-document",
    "yaml-of-a-version-to-come",
    "yaml-of-a-version-without-end",
    "yaml-of-version-one-point-one",
    "yaml-syntax-error",
    "yaml-with-a-tab",
    "yaml-with-a-tag",
    "development-in-production",
    "host-that-is-none",
    "interval-too-long-for-rates",
    "memory-too-little-to-start",
    "objective-longer-than-retention",
    "offset-beyond-the-last-port",
    "offset-of-five-thousand-digits",
    "port-of-jaeger-itself",
    "queue-larger-than-its-volume",
    "queue-larger-than-memory",
    "retention-beyond-the-volume",
    "retention-of-traces-in-memory",
    "production-on-a-base-for-development",
    "open-to-machines-that-cannot-know-it",
    "plain-text-from-outside-in-production",
    "production-with-an-open-edge",
    "security-that-only-looks-like-it",
    "series-beyond-the-memory",
    "traces-beyond-the-memory",
    "traces-beyond-the-volume",
    "traces-beyond-the-volume-of-a-base",
    "two-receivers-of-one-name",
    "two-services-on-one-port",
}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the cases as the current folder."""
    shutil.copytree(CASES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_cases_and_each_bad_one_says_what_it_expects() -> None:
    assert len(BAD) > 50
    assert len(GOOD) > 5
    assert sorted(path.stem for path in (CASES / "bad").glob("*.expected")) == BAD
    assert set(BAD) >= BEYOND_A_SCHEMA


@pytest.mark.parametrize("name", BAD)
def test_a_bad_profile_is_refused_with_exactly_its_problems(
    name: str, copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(copied.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["loom-deploy", "plan", "--profile", f"bad/{name}.yaml"])
    code = run()
    said = capsys.readouterr()
    assert said.err == (CASES / "bad" / f"{name}.expected").read_text()
    assert code == 3
    assert said.out == ""
    assert sorted(copied.rglob("*")) == before


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.usefixtures("copied")
def test_a_good_profile_has_a_plan(name: str) -> None:
    profile = load(f"good/{name}.yaml")
    assert profile.name == name
    assert derive(profile).profile is profile


@pytest.mark.parametrize("name", sorted(set(BAD) - BEYOND_A_SCHEMA))
def test_an_editor_sees_what_is_wrong_with_a_bad_profile(name: str) -> None:
    assert not Draft202012Validator(schema()).is_valid(_document(CASES / "bad" / f"{name}.yaml")) or (
        # Its own document is fine; the base that stands beside it is not.
        name == "extends-a-base-with-a-problem"
    )


@pytest.mark.parametrize("name", GOOD)
def test_an_editor_sees_nothing_wrong_with_a_good_profile(name: str) -> None:
    document = _document(CASES / "good" / f"{name}.yaml")
    # A null that removes what a base says is the one thing a schema of the values cannot tell from a mistake.
    allowed = {"tracing", "retention"} if name == "extends-a-chain" else set()
    errors = Draft202012Validator(schema()).iter_errors(document)
    assert [error.message for error in errors if not allowed.issuperset(map(str, error.path))] == []


def test_the_installed_command_refuses_the_same_way(copied: Path) -> None:
    command = [sys.executable, "-m", "loom.cli", "plan", "--profile", "bad/two-services-on-one-port.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=copied)
    expected = (CASES / "bad" / "two-services-on-one-port.expected").read_text()
    assert (done.returncode, done.stdout, done.stderr) == (3, "", expected)


def _document(path: Path) -> object:
    """The document as an editor sees it."""
    try:
        return json.loads(json.dumps(YAML(typ="safe", pure=True).load(path.read_text())))
    except YAMLError as error:
        pytest.fail(f"{path} belongs to BEYOND_A_SCHEMA: {error}")
