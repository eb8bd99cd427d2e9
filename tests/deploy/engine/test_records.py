"""What an engine remembers, reads and asks: without starting a program."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.engine import (
    Deployment,
    FakeEngine,
    Home,
    LogRequest,
    NativeEngine,
    choose,
    deployed,
    lifecycle,
    load,
    logs,
    named,
    readiness,
    supervisor,
)
from loom.deploy.engine.compose import project
from loom.deploy.engine.configuration import digests, environment
from loom.deploy.engine.protocol import ServiceStatus
from loom.deploy.engine.supervisor import Supervisor, launch
from loom.deploy.plan import derive
from loom.deploy.plan.model import Service
from loom.deploy.profile import Pins
from loom.deploy.profile.model import Profile
from loom.deploy.toolchain.cache import cache_root
from loom.errors import EngineError, MachineError, ToolchainError, WriteError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


@pytest.fixture
def deployment(environ: dict[str, str]) -> Iterator[Deployment]:
    profile = Profile.model_validate({"name": "dev", "volumes": {"prometheus": "20GB"}})
    home = Home.of("dev", environ)
    yield Deployment(home, "native", derive(profile), {"jaeger": "abc"}, 12.5)
    home.forget()


def test_a_record_gives_back_the_deployment(deployment: Deployment, environ: dict[str, str]) -> None:
    deployment.home.make()
    deployment.save()
    assert load(deployment.home) == deployment
    assert deployed(environ) == ["dev"]
    deployment.home.forget()
    assert load(deployment.home) is None
    assert deployed(environ) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"profile": {"name": 1}}'])
def test_a_damaged_record_is_an_error_that_says_what_to_do(deployment: Deployment, text: str) -> None:
    deployment.home.make()
    deployment.home.record.write_text(text)
    with pytest.raises(EngineError, match="loom-deploy down"):
        load(deployment.home)


def test_a_record_whose_profile_the_plan_refuses_is_damaged_too(deployment: Deployment) -> None:
    deployment.home.make()
    deployment.save()
    document = json.loads(deployment.home.record.read_text())
    document["profile"]["memory"]["prometheus"] = "1MiB"
    deployment.home.record.write_text(json.dumps(document))
    with pytest.raises(EngineError, match=r"the record cannot be read: \$\.memory\.prometheus") as caught:
        load(deployment.home)
    assert caught.value.problems[0].file == str(deployment.home.record)
    assert not NativeEngine().down(deployment.home, lambda _: None)
    assert load(deployment.home) is None


def test_a_record_keeps_the_pins_of_its_images(deployment: Deployment) -> None:
    pins = Pins("registry.example:5000", {"grafana/grafana:13.2.3": f"sha256:{'a' * 64}"})
    pinned = replace(deployment, plan=derive(deployment.plan.profile, pins))
    pinned.home.make()
    pinned.save()
    assert load(pinned.home) == pinned
    document = json.loads(pinned.home.record.read_text())
    document["pins"]["digests"]["prom/prometheus:v1.0.0"] = f"sha256:{'b' * 64}"  # of an older version
    pinned.home.record.write_text(json.dumps(document))
    assert load(pinned.home) == pinned
    del document["pins"]  # a record from before they were kept
    pinned.home.record.write_text(json.dumps(document))
    assert load(pinned.home) == deployment


def test_a_full_disk_is_an_error_that_names_the_record_and_leaves_the_former_one(
    deployment: Deployment,
) -> None:
    deployment.home.make()
    deployment.save()
    deployment.home.record.with_suffix(".new").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="cannot be written: No space left on device") as caught:
        replace(deployment, engine="other").save()
    assert caught.value.problems[0].file == str(deployment.home.record)
    assert load(deployment.home) == deployment
    assert not deployment.home.record.with_suffix(".new").is_symlink()


def test_what_a_start_cannot_write_is_named(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loom.deploy.engine.conflict.refuse", lambda *_: None)  # whoever has the ports
    home = deployment.home
    home.make()
    (home.data / "jaeger").write_text("")
    watch = lifecycle.Watch.start(lambda _: None, 0.0)
    with pytest.raises(WriteError, match=r"data/jaeger  cannot be written: File exists"):
        lifecycle.start(deployment, {}, watch)
    other = Home(tmp_path / "other")
    other.make()
    (other.run / project.OVERRIDE).symlink_to("/dev/full")
    with pytest.raises(WriteError, match="cannot be written: No space left on device"):
        project.written(other, deployment.plan)
    missing = Supervisor(home.run / "no.sock")
    with pytest.raises(EngineError, match="its output cannot be read: No such file or directory"):
        launch(home.rendered, os.environ, missing, tmp_path / "missing")


def test_a_file_in_place_of_a_deployments_folder_holds_nothing_to_forget(tmp_path: Path) -> None:
    (tmp_path / "dev").write_text("")
    Home(tmp_path / "dev").forget()
    with pytest.raises(EngineError, match=r"remove .*dev: it is no folder"):
        load(Home(tmp_path / "dev"))
    assert (tmp_path / "dev").is_file()


def test_whoever_has_no_home_directory_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        message = "Could not determine home directory."
        raise RuntimeError(message)

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(MachineError, match=r"no home directory \(set HOME or XDG_STATE_HOME\)"):
        Home.of("dev", {})
    with pytest.raises(ToolchainError, match=r"no home directory \(set HOME or XDG_CACHE_HOME\)"):
        cache_root({})
    assert Home.of("dev", {"XDG_STATE_HOME": "/state"}).root == Path("/state/loom-deploy/dev")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 41])
def test_a_name_cannot_lead_out_of_the_state_folder(name: str, environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        Home.of(name, environ)


def test_a_relative_state_folder_is_ignored_as_the_standard_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Home.of("dev", {"XDG_STATE_HOME": "here"}).root == Path(
        "/home/somebody/.local/state/loom-deploy/dev"
    )


def test_somebody_elses_link_in_the_temporary_folder_is_refused(tmp_path: Path) -> None:
    home = Home.of("dev", {"XDG_STATE_HOME": str(tmp_path / ("x" * 90))})
    home.short_run.symlink_to(tmp_path)
    try:
        with pytest.raises(EngineError, match="does not lead to the deployment"):
            home.make()
    finally:
        home.short_run.unlink()


LOG = """\
2026-11-22 17:00:00,000 INFO exited: jaeger (exit status 1; not expected)
2026-11-22 17:59:00,000 INFO supervisord started with pid 1
2026-11-22 17:59:01,000 INFO exited: jaeger (exit status 1; not expected)
2026-11-22 17:59:02,000 INFO exited: jaeger-query (exit status 1; not expected)
2026-11-22 17:59:03,000 WARN exited: jaeger (terminated by SIGKILL; not expected)
2026-11-22 17:59:04,000 INFO stopped: jaeger (terminated by SIGTERM)
"""


def test_only_the_recent_ends_of_this_program_since_the_last_start_count() -> None:
    now = datetime(2026, 11, 22, 18, 0, 0)  # noqa: DTZ001 - the log has no zone
    assert supervisor.exits(LOG, "jaeger", now, timedelta(minutes=5)) == 2
    assert supervisor.exits(LOG, "jaeger", now, timedelta(seconds=58)) == 1
    assert supervisor.exits(LOG, "prometheus", now, timedelta(days=1)) == 0


def test_three_restarts_are_a_loop_and_so_is_giving_up() -> None:
    well = ServiceStatus(Service.JAEGER, "RUNNING", restarts=2)
    assert not well.looping
    assert replace(well, restarts=3).looping
    assert replace(well, state="FATAL").looping


def test_a_digest_changes_for_the_service_that_reads_the_file_and_no_other(deployment: Deployment) -> None:
    files = [
        Artifact("a", "1\n", "", Check.OTELCOL),
        Artifact("b", "1\n", "", Check.JAEGER),
        Artifact("c", "1\n", "", Check.NONE),
    ]
    before = digests(deployment.plan, files)
    changed = [files[0], replace(files[1], text="2\n"), replace(files[2], text="2\n")]
    after = digests(deployment.plan, changed)
    assert {service for service in before if before[service] != after[service]} == {"jaeger"}


def test_the_environment_of_the_programs_is_ours_alone(deployment: Deployment) -> None:
    inherited = {"PATH": "/bin", "OTEL_TRACES_SAMPLER": "always_on", "AWS_SECRET_ACCESS_KEY": "x"}
    found = environment(deployment.home, {"otelcol": Path("/o")}, inherited)
    assert found["PATH"] == "/bin"
    assert found["LOOM_OTELCOL"] == "/o"
    assert found["OTEL_TRACES_SAMPLER"] == "always_off"
    assert "AWS_SECRET_ACCESS_KEY" not in found


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ready" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_ready_means_200_and_nothing_else(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert readiness.ask(f"{server}/ready") == ""
    assert readiness.ask(f"{server}/starting").endswith("answers 503")
    assert "does not answer: connection refused" in readiness.ask("http://127.0.0.1:1/ready")


def test_followed_logs_give_whole_lines_also_after_rotation(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    path = logs.path_of(home, "jaeger")
    path.write_text("one\ntwo\n")
    lines = logs.read(home, ["jaeger", "never-started"], LogRequest(lines=1, follow=True))
    assert next(lines).text == "two"
    with path.open("a") as file:
        file.write("three\nhal")
    assert next(lines).text == "three"
    with path.open("a") as file:
        file.write("f\n")
    assert next(lines).text == "half"
    os.truncate(path, 0)
    with path.open("a") as file:
        file.write("new\n")
    assert next(lines).text == "new"


def test_the_first_engine_that_can_work_is_chosen_and_the_others_obstacles_said(
    deployment: Deployment,
) -> None:
    cannot, can = FakeEngine("first", cannot="no docker"), FakeEngine("second")
    plan = deployment.plan
    assert choose(plan, "", (cannot, can)).engine is can
    assert choose(plan, "", (cannot, can)).passed == {"first": "no docker"}
    assert choose(plan, "first", (cannot, can)).engine is cannot
    with pytest.raises(EngineError, match="engine first cannot work here: no docker"):
        choose(plan, "", (cannot,))
    with pytest.raises(EngineError, match=r"there is no engine 'docker' \(known: compose, native"):
        named("docker")


def test_an_engine_that_lacks_what_nothing_works_without_is_passed_over(deployment: Deployment) -> None:
    poor = FakeEngine("poor", lacking={"prometheus": "no image"})
    fair = FakeEngine("fair", lacking={"grafana": "no image"})
    choice = choose(deployment.plan, "", (poor, fair))
    assert choice.engine is fair
    assert choice.passed == {"poor": "prometheus: no image"}
    assert choice.absences == {"grafana": "no image"}
    with pytest.raises(EngineError, match="engine poor cannot work here: prometheus: no image"):
        choose(deployment.plan, "", (poor,))


def test_a_missing_program_is_an_obstacle_with_the_hint_how_to_get_it() -> None:
    def locate(*programs: object) -> dict[str, Path]:
        del programs
        message = "jaeger 2.13.0 is not installed"
        raise ToolchainError(message)

    assert "jaeger 2.13.0 is not installed" in NativeEngine(locate).obstacle()


def test_the_fake_engine_keeps_the_rules_of_the_protocol(deployment: Deployment) -> None:
    engine = FakeEngine()
    said: list[object] = []
    engine.up(deployment, (), said.append, 1.0)
    assert all(status.ready for status in engine.status(deployment))
    record = load(deployment.home)
    assert record is not None
    assert json.loads(deployment.home.record.read_text())["engine"] == "fake"
    assert engine.down(deployment.home, said.append)
    assert not engine.down(deployment.home, said.append)
    assert load(deployment.home) is None
    engine.unready["jaeger"] = "it is not well"
    with pytest.raises(EngineError, match="it is not well"):
        engine.up(deployment, (), said.append, 1.0)
