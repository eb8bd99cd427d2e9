"""`loom-deploy diff` as a user calls it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from loom.cli.diff import command
from loom.deploy import api
from loom.deploy.drift import live
from loom.deploy.drift.live.model import Asked, Difference, Report, Silence
from loom.deploy.engine import Deployment, Home
from loom.errors import ProfileError


def diff(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return int(result.return_value), result.output


def test_two_profiles_that_differ_exit_1_and_show_security_first() -> None:
    code, said = diff("dev", "prod")
    assert code == 1
    assert said.splitlines()[0].startswith("dev → prod: ")
    assert said.index("\nsecurity\n") < said.index("\nretention\n") < said.index("\nworkload\n")
    assert "dev: plain text · prod: TLS with client certificates" in said


def test_a_profile_and_itself_exit_0_by_name_and_by_path() -> None:
    assert diff("dev", "profiles/dev.yaml") == (0, "dev → profiles/dev.yaml: no differences\n")
    assert diff("dev", "dev") == (0, "dev → dev: no differences\n")


def test_a_value_without_effect_is_not_said_as_if_it_had_one() -> None:
    said = diff("dev", "prod")[1]
    assert "  ~ age of the oldest trace on disk\n      dev: - (traces are in memory) · prod: 7d\n" in said
    said = diff("prod", "dev", "--set", "tracing.max_traces=100")[1]
    assert "  ~ traces in memory\n      prod: - (traces are on disk) · dev: 100\n" in said


def test_set_alone_says_what_a_change_would_mean() -> None:
    code, said = diff("prod", "--set", "tracing.sampler=traceidratio=0.05", "--json")
    told = json.loads(said)
    assert (code, told["same"], told["a"]) == (1, False, "prod")
    assert told["b"] == "prod with tracing.sampler=traceidratio=0.05"
    assert {one["group"] for one in told["differences"]} == {"sampling"}


def test_set_goes_to_the_second_profile_and_a_path_is_a_profile(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("extends: dev\nname: own\n")
    code, said = diff("dev", str(own), "--set", "ports.offset=7")
    assert code == 1
    assert "dev: 0 · own: 7" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dev",),
        ("dev", "prod", "dev"),
        ("dev", "prod", "--name", "x"),
        ("--live", "dev"),
        ("--live", "--set", "ports.offset=1"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output


def test_a_profile_that_there_is_not_is_named() -> None:
    with pytest.raises(ProfileError, match="there is no profile 'staging'"):
        diff("dev", "staging")


DIFFERENCE = Difference("jaeger", "container", "mem_limit", "1 GiB", "700 MiB")
Differences = tuple[Difference, ...]
Silences = tuple[Silence, ...]
SILENCE = Silence("jaeger", "/metrics", "does not answer")


@pytest.mark.parametrize(
    ("differences", "unreached", "code"),
    [((), (), 0), ((DIFFERENCE,), (), 1), ((), (SILENCE,), 4), ((DIFFERENCE,), (SILENCE,), 1)],
)
def test_live_exits_by_what_was_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, differences: Differences, unreached: Silences, code: int
) -> None:
    report = Report("dev", "native", differences, (Asked("jaeger", "process", 2),), (), unreached)
    deployment = Deployment(Home(tmp_path), "native", api.load_plan("dev"))
    monkeypatch.setattr(api, "find", lambda *_: deployment)
    monkeypatch.setattr(live, "inspect", lambda _: report)
    assert diff("--live", "--name", "dev")[0] == code
    told = json.loads(diff("--live", "--json")[1])
    assert told["same"] is not bool(differences)
    assert [one["path"] for one in told["differences"]] == [one.path for one in differences]
