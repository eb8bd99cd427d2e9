"""`up`, `status`, `logs` and `down` on the command line, with an engine that runs nothing."""

from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from loom.cli import deployment, down, logs, plan, run, status, trace, up
from loom.cli.demonstration import say_next
from loom.cli.output import CLOSED, GoneError
from loom.deploy import api
from loom.deploy.credentials.access import Access
from loom.deploy.engine import Deployment, FakeEngine, Home, Progress, deployed
from loom.deploy.verify.trace import Trace, TraceSpan
from loom.errors import EngineError, FindingError, PortConflictError, Problem

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


PAGE = b"<html><title>it has pages</title>"
STAND_IN = b"<html>a binary that was not compiled with the UI assets"


@pytest.fixture
def fronts(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What a page answers, by its port and path; without an entry there is no answer."""
    found: dict[str, bytes] = {}

    def fetch(url: str, access: Access) -> tuple[int, bytes]:
        del access
        _, _, where = url.rpartition(":")
        if where not in found:
            raise ConnectionRefusedError
        return 200, found[where]

    monkeypatch.setattr("loom.deploy.engine.pages.fetch", fetch)
    return found


@pytest.mark.usefixtures("engine")
def test_up_says_of_each_address_whether_it_is_an_api_only(fronts: dict[str, bytes]) -> None:
    fronts |= {"16686/": STAND_IN, "9090/query": PAGE}
    output = invoke(up, "--profile", "dev").output
    lines = {line.split()[0]: line for line in output.splitlines() if "http://" in line}
    assert lines["jaeger"].endswith(" traces, API only")
    assert lines["prometheus"].endswith(" metrics, rules, targets")
    assert "`loom-deploy trace`" in output


@pytest.mark.usefixtures("engine")
def test_up_says_nothing_of_apis_where_there_are_pages(fronts: dict[str, bytes]) -> None:
    fronts |= {"16686/": PAGE, "9090/query": PAGE, "9093/": PAGE}
    assert "API" not in invoke(up, "--profile", "dev").output


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("page", "line"),
    [
        (PAGE, "http://localhost:16686/trace/ab"),
        (STAND_IN, "http://localhost:16686/api/traces/ab (API only: this Jaeger has no pages)"),
    ],
)
def test_a_trace_has_a_link_to_what_there_is(
    fronts: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, page: bytes, line: str
) -> None:
    fronts["16686/"] = page
    stored = Trace("ab", (TraceSpan("1", "", "publish", "loom", "", 1_000_000, 5),))
    monkeypatch.setattr(trace, "read", lambda *_: stored)
    invoke(up, "--profile", "dev")
    assert f"  {line}" in invoke(trace, "ab").output.splitlines()


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


def test_a_service_that_there_is_not_is_wrong_usage_and_the_near_one_is_named(engine: FakeEngine) -> None:
    invoke(up, "--profile", "dev")
    result = invoke(logs, "jager")
    assert (result.exit_code, engine.running) == (2, {"dev"})
    assert "there is no service 'jager' (did you mean 'jaeger'?)" in result.output
    assert "(one of otel-collector," in invoke(logs, "xyzzy").output


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
    assert "(run: loom-deploy up --profile prod)" in str(result.exception)
    assert engine.running == set()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--name", "nope"), "loom-deploy up --name nope --profile dev"),
        (("--profile", "sites/own.yaml"), "loom-deploy up --profile sites/own.yaml"),
        (("--profile", "prod", "--name", "x"), "loom-deploy up --name x --profile prod"),
    ],
)
def test_the_command_that_would_start_it_names_a_profile_that_there_is(
    engine: FakeEngine, arguments: tuple[str, ...], hint: str
) -> None:
    assert f"(run: {hint})" in str(invoke(status, *arguments).exception)
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


@pytest.mark.parametrize("before", [False, True])
def test_a_start_that_is_refused_for_its_ports_leaves_nothing_where_nothing_was(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    home = Home(tmp_path / "state" / "loom-deploy" / "dev")
    if before:
        home.data.mkdir(parents=True)

    def refuse(started: Deployment, *_: object) -> None:
        started.home.make()
        raise PortConflictError(Problem("port 9090 is taken"))

    monkeypatch.setattr(engine, "up", refuse)
    assert isinstance(invoke(up, "--profile", "dev").exception, PortConflictError)
    assert (home.root.exists(), home.data.exists()) == (before, before)


def test_a_start_that_fails_later_leaves_the_logs_that_say_why(engine: FakeEngine, tmp_path: Path) -> None:
    engine.unready["jaeger"] = "it answers 503"
    assert isinstance(invoke(up, "--profile", "dev").exception, EngineError)
    assert (tmp_path / "state" / "loom-deploy" / "dev").is_dir()


def test_what_next_of_the_embedded_engine_asks_only_for_what_the_users_program_uses(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "of the shell")
    say_next(Deployment(Home(tmp_path / "mine"), "embedded", api.load_plan("dev")))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  loom-deploy check --require emitted -- python my_agents.py ")
    assert "loom-deploy down --name mine " in lines[3]


def test_what_next_begins_with_the_way_in_where_the_shell_has_no_loom_deploy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    monkeypatch.chdir(tmp_path)
    deployment = Deployment(Home(tmp_path / "mine"), "native", api.load_plan("dev"))
    say_next(deployment)
    assert capsys.readouterr().out.splitlines()[1].startswith("  . .venv/bin/activate ")
    monkeypatch.chdir("/")
    say_next(deployment)
    assert "activate" not in capsys.readouterr().out


def test_a_name_that_is_none_is_refused(engine: FakeEngine) -> None:
    result = invoke(up, "--profile", "dev", "--name", "../elsewhere")
    assert (result.exit_code, "is not a name" in result.output) == (2, True)
    assert engine.running == set()


def test_an_engine_that_there_is_not_is_refused_with_those_there_are(engine: FakeEngine) -> None:
    result = invoke(up, "--profile", "dev", "--engine", "podman")
    assert (result.exit_code, f"one of {engine.name}" in result.output) == (2, True)


def test_a_reader_that_goes_away_does_not_end_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: str) -> None:
        raise GoneError(CLOSED)

    monkeypatch.setattr("loom.cli.deployment.click.echo", gone)
    deployment.show(Progress("jaeger", "ready"))
