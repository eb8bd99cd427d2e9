"""`loom-deploy verify --edges`: the same shapes of output, another question."""

import json

import pytest
from click.testing import CliRunner

from loom.cli import verify
from loom.deploy import api
from loom.deploy.verify import Finding, Proof, Verdict
from loom.errors import FindingError

OPEN = Finding("edge", "jaeger:ui · no certificate", Verdict.WRONG, "let in: HTTP 200")


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "intrude", lambda _: Proof([OPEN]))
    monkeypatch.setattr(verify, "find", lambda *_: None)


def test_an_open_door_is_named_and_is_the_exit_code() -> None:
    result = CliRunner().invoke(verify.command, ["--edges", "--json"])
    assert type(result.exception) is FindingError
    assert "jaeger:ui · no certificate is wrong: let in: HTTP 200" in str(result.exception)
    assert json.loads(result.stdout)["findings"][0]["subject"] == "edge"


def test_doors_are_not_watched() -> None:
    result = CliRunner().invoke(verify.command, ["--edges", "--watch"])
    assert result.exit_code == 2
    assert "--watch" in result.output
