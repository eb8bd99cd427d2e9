"""`up`, `status`, `logs` and `down` on the command line, with an engine that runs nothing."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from loom.cli import deployment, down, logs, plan, run, status, up
from loom.deploy.engine import FakeEngine, Progress, deployed
from loom.errors import EngineError, FindingError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("loom.deploy.engine.choice.engines", lambda: (fake,))
    monkeypatch.setattr("loom.deploy.engine.engines", lambda: (fake,))
    return fake


def invoke(module: ModuleType, *arguments: str) -> Result:
    return CliRunner().invoke(module.command, arguments)


def test_up_says_which_engine_and_where_to_look(engine: FakeEngine) -> None:
    result = invoke(up, "--profile", "dev", "--set", "ports.offset=1000")
    assert result.exit_code == 0, result.output
    for text in (
        f"engine {engine.name}:",
        "http://localhost:17686",
        "rendered/.env",
        "not run: grafana (it can be had as an image only)",
    ):
        assert text in result.output
    assert engine.running == {"dev"}


def test_up_ends_with_what_plan_remarks(engine: FakeEngine) -> None:
    assert invoke(up, "--profile", "dev").stderr == ""
    small = ("--profile", "dev", "--set", "metrics.retention.size=1GB", "--set", "alerting.slo.window=3d")
    result = invoke(up, *small)
    assert engine.running == {"dev"}
    assert result.stderr == invoke(plan, *small).stderr
    assert result.stderr.startswith("note: --set  $.metrics.retention.size: 1GB are full")


def test_a_service_that_cannot_run_fails_a_start_that_requires_all_and_nothing_is_started(
    engine: FakeEngine,
) -> None:
    result = invoke(up, "--profile", "dev", "--require-all")
    assert isinstance(result.exception, EngineError)
    assert str(result.exception) == "grafana: it can be had as an image only"
    assert engine.running == set()


def test_a_program_runs_for_a_deployment_and_its_exit_code_is_ours(engine: FakeEngine) -> None:
    invoke(up, "--profile", "dev")
    assert invoke(run, "--env", "A=1", "--", "python3", "-c", "1").exit_code == 0
    assert engine.commands == [("python3", "-c", "1")]
    assert invoke(run, "--", "false").exit_code == 1
    assert invoke(run, "--env", "A", "--", "true").exit_code == 2


def test_images_go_when_they_are_asked_for_only(engine: FakeEngine) -> None:
    invoke(up, "--profile", "dev")
    invoke(down)
    assert not engine.discarded
    invoke(down, "--images")
    assert engine.discarded


def test_a_name_stays_with_the_engine_that_runs_it(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FakeEngine("other")
    invoke(up, "--profile", "dev")
    for place in ("loom.deploy.engine.choice.engines", "loom.deploy.engine.engines"):
        monkeypatch.setattr(place, lambda: (engine, other))
    result = invoke(up, "--profile", "dev", "--engine", "other")
    assert isinstance(result.exception, EngineError)
    assert "up already, with the engine fake (loom-deploy down --name dev)" in str(result.exception)
    assert other.running == set()
    result = invoke(up, "--profile", "dev")  # without being told it stays where it is
    assert "engine fake: it runs this deployment already" in result.output
    engine.running.clear()  # after the machine was started again, say
    assert invoke(up, "--profile", "dev", "--engine", "other").exit_code == 0


def test_the_other_verbs_need_no_settings_again(engine: FakeEngine) -> None:
    invoke(up, "--profile", "dev", "--set", "ports.offset=1000")
    assert "dev (profile dev, engine fake)" in invoke(status).output
    assert invoke(logs, "jaeger", "--lines", "1").output == "jaeger         | a line\n"
    assert invoke(down).output.endswith("dev is down\n")
    assert engine.running == set()
    assert invoke(down).output.endswith("dev: nothing was running\n")


def test_status_is_exit_1_when_a_service_is_not_ready(engine: FakeEngine) -> None:
    invoke(up, "--profile", "dev")
    engine.unready["jaeger"] = "it answers 503"
    result = invoke(status, "--profile", "dev")
    assert isinstance(result.exception, FindingError)
    assert result.exception.exit_code == 1
    assert str(result.exception) == "jaeger is not ready: it answers 503"


def test_what_is_not_up_is_an_error_that_says_how_to_start_it(engine: FakeEngine) -> None:
    result = invoke(status, "--profile", "prod")
    assert isinstance(result.exception, EngineError)
    assert "loom-deploy up --profile prod" in str(result.exception)
    assert engine.running == set()


def test_two_deployments_have_to_be_told_apart(engine: FakeEngine, tmp_path: Path) -> None:
    invoke(up, "--profile", "dev")
    invoke(up, "--profile", "dev", "--name", "other", "--set", "ports.offset=1000")
    assert deployed({"XDG_STATE_HOME": str(tmp_path / "state")}) == ["dev", "other"]
    result = invoke(down)
    assert result.exit_code == 2
    assert "dev, other" in result.output
    invoke(down, "--name", "other", "--volumes")
    assert engine.running == {"dev"}
    assert engine.data == {"dev"}


def test_a_name_that_is_none_is_refused(engine: FakeEngine) -> None:
    result = invoke(up, "--profile", "dev", "--name", "../elsewhere")
    assert isinstance(result.exception, EngineError)
    assert engine.running == set()


def test_an_engine_that_there_is_not_is_refused_with_those_there_are(engine: FakeEngine) -> None:
    result = invoke(up, "--profile", "dev", "--engine", "podman")
    assert f"known: {engine.name}" in str(result.exception)


def test_a_reader_that_goes_away_does_not_end_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError

    replaced: list[int] = []
    monkeypatch.setattr("loom.cli.deployment.click.echo", broken)
    monkeypatch.setattr("loom.cli.deployment.os.dup2", lambda _, target: replaced.append(target))
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)
    deployment.show(Progress("jaeger", "ready"))
    assert replaced == [1]
