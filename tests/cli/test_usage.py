"""Wrong usage of any command: exit 2, and what was probably meant."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from loom.cli.main import group


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("up dev", "Got unexpected extra argument (dev): did you mean --profile dev?"),
        ("render dev", "Got unexpected extra argument (dev): did you mean --profile dev?"),
        ("render dev --profile prod", "Got unexpected extra argument (dev)"),
        ("render nobody", "Got unexpected extra argument (nobody)"),
        ("plan prod", "Missing option '--profile': did you mean --profile prod?"),
        ("certs check prod", "Missing option '--profile': did you mean --profile prod?"),
        ("up --engine compos", "there is no engine 'compos': did you mean 'compose'?"),
        ("up --engine podman", "there is no engine 'podman': one of compose, native, embedded"),
        ("up --name a_b", "'a_b' is not a name: small letters"),
        ("status --name a_b", "'a_b' is not a name: small letters"),
        ("status --profile a_b", "'a_b' is not a name: small letters"),
        ("certs check --profile prod --name a_b", "'a_b' is not a name: small letters"),
        ("plan --profile dev --set ports.offset", "'ports.offset' sets nothing"),
        ("up --set ports.offset", "'ports.offset' sets nothing"),
        ("secrets init --profile dev --set ports.offset", "'ports.offset' sets nothing"),
        ("check --require emited -- true", "did you mean 'emitted'?"),
        ("check --require loom.event_buss -- true", "did you mean 'loom.event_bus'?"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_was_meant(line: str, said: str) -> None:
    result = CliRunner().invoke(group, line.split())
    assert result.exit_code == 2, result.output
    assert said in result.stderr.splitlines()[-1]


def test_up_shows_its_engines() -> None:
    assert "--engine [compose|native|embedded]" in CliRunner().invoke(group, ["up", "--help"]).output
