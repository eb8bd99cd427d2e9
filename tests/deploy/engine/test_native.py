"""The native engine on real processes: small servers under a real supervisord."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.deploy.engine import Home, LogRequest, Progress, load
from loom.deploy.engine.lifecycle import client
from loom.deploy.engine.processes import MARK, free, own
from loom.deploy.plan.model import Service
from loom.errors import EngineError
from tests.waiting import until

pytestmark = pytest.mark.slow

# Types of conftest, which test modules cannot import.
Stage = Any
Offsets = Callable[[], int]


def test_down_leaves_no_process_and_no_port_but_the_data(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    assert all(status.ready and status.pid for status in stage.engine.status(deployment))
    assert len(own(deployment.home)) == 5
    assert stage.started(deployment) > 0
    kept = deployment.home.data / "prometheus" / "block"
    kept.write_text("samples")
    assert stage.engine.down(deployment.home, stage.said.append)
    assert own(deployment.home) == []
    assert all(free(port.native) for port in deployment.plan.ports)
    assert load(deployment.home) is None
    assert kept.exists()
    assert not stage.engine.down(deployment.home, stage.said.append)
    stage.engine.down(deployment.home, stage.said.append, volumes=True)
    assert not deployment.home.data.exists()


def test_up_again_restarts_only_what_changed(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    before, started = stage.pids(deployment), stage.started(deployment)
    stage.up(deployment)
    assert stage.pids(deployment) == before
    assert any("same configuration" in progress.text for progress in stage.said)
    stage.up(deployment, JAEGER="changed\n")
    after = stage.pids(deployment)
    assert {service for service in before if before[service] != after[service]} == {Service.JAEGER}
    assert stage.started(deployment) == started


def test_up_on_other_ports_moves_the_whole_deployment(stage: Stage, offsets: Offsets) -> None:
    old, new = stage.deployment(offsets()), stage.deployment(offsets())
    stage.up(old)
    stage.up(new)
    assert all(status.ready for status in stage.engine.status(new))
    assert all(free(port.native) for port in old.plan.ports)
    assert len(own(new.home)) == 5


def test_a_program_that_is_killed_comes_back(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    before = stage.pids(deployment)[Service.PROMETHEUS]
    os.kill(before, signal.SIGKILL)
    until(lambda: stage.pids(deployment)[Service.PROMETHEUS] not in {0, before})
    until(lambda: all(status.ready for status in stage.engine.status(deployment)))
    status = {s.service: s for s in stage.engine.status(deployment)}[Service.PROMETHEUS]
    assert status.restarts == 1
    assert not status.looping


def test_a_service_itself_says_which_program_the_supervisor_stops_and_starts(
    stage: Stage, offsets: Offsets
) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    supervisor, before = client(deployment.home), stage.pids(deployment)
    supervisor.stop(Service.JAEGER)
    until(lambda: not stage.pids(deployment)[Service.JAEGER])
    assert stage.pids(deployment) == before | {Service.JAEGER: 0}
    supervisor.start(Service.JAEGER)
    until(lambda: all(status.ready for status in stage.engine.status(deployment)))
    assert stage.pids(deployment)[Service.JAEGER] != before[Service.JAEGER]


def test_a_restart_loop_is_reported_with_the_last_log_lines(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    stage.behave(Service.JAEGER, "exit")
    os.kill(stage.pids(deployment)[Service.JAEGER], signal.SIGKILL)

    def looping() -> bool:
        return bool({s.service: s for s in stage.engine.status(deployment)}[Service.JAEGER].looping)

    until(looping)
    until(lambda: {s.service: s for s in stage.engine.status(deployment)}[Service.JAEGER].state == "FATAL")
    status = {s.service: s for s in stage.engine.status(deployment)}[Service.JAEGER]
    assert not status.ready
    assert status.tail[-1] == "the configuration is nonsense"
    stage.behave(Service.JAEGER, "")
    stage.up(deployment)  # up again starts what was given up
    assert stage.engine.status(deployment)[1].ready


def test_a_program_that_cannot_start_is_named_with_its_words_and_nothing_is_left(
    stage: Stage, offsets: Offsets
) -> None:
    deployment = stage.deployment(offsets())
    stage.behave(Service.PROMETHEUS, "exit")
    with pytest.raises(EngineError, match="prometheus ends as soon as it starts") as caught:
        stage.up(deployment)
    assert "the configuration is nonsense" in str(caught.value)
    assert caught.value.problems[0].file.endswith("prometheus.log")
    assert own(deployment.home) == []
    assert load(deployment.home) is None


def test_a_program_that_never_answers_is_named_with_the_reason(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.behave(Service.COLLECTOR, "mute")
    with pytest.raises(EngineError, match=r"otel-collector is not ready after 2 s: .* does not answer"):
        stage.up(deployment, deadline=2.0)
    assert own(deployment.home) == []


def test_every_taken_port_is_named_with_its_holder_before_anything_starts(
    stage: Stage, offsets: Offsets
) -> None:
    deployment = stage.deployment(offsets())
    taken = [port.native for port in deployment.plan.ports if port.service is Service.JAEGER][:2]
    sockets = [socket.create_server(("127.0.0.1", port)) for port in taken]
    try:
        with pytest.raises(EngineError) as caught:
            stage.up(deployment)
    finally:
        for each in sockets:
            each.close()
    messages = [problem.message for problem in caught.value.problems]
    assert len(messages) == 2
    for port, message in zip(taken, messages, strict=True):
        assert f"port {port} (jaeger" in message
        assert f"pid {os.getpid()}" in message
    assert own(deployment.home) == []
    assert not (deployment.home.run / "supervisord.log").exists()


def test_two_deployments_run_side_by_side_and_one_goes_without_the_other(
    stage: Stage, offsets: Offsets
) -> None:
    one, two = stage.deployment(offsets()), stage.deployment(offsets(), "other")
    stage.up(one)
    stage.up(two)
    with pytest.raises(EngineError, match="deployment dev"):  # whose ports they are is said
        stage.up(stage.deployment(one.plan.profile.ports.offset, "third"))
    stage.engine.down(one.home, stage.said.append)
    assert all(status.ready for status in stage.engine.status(two))
    assert len(own(two.home)) == 5


def test_orphans_of_a_killed_supervisor_are_found_and_ended(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    os.kill(int((deployment.home.run / "supervisord.pid").read_text()), signal.SIGKILL)
    until(lambda: len(own(deployment.home)) == 4)
    assert {status.state for status in stage.engine.status(deployment)} == {"ABSENT"}
    stage.up(deployment)  # a new start makes room for itself
    assert all(status.ready for status in stage.engine.status(deployment))
    os.kill(int((deployment.home.run / "supervisord.pid").read_text()), signal.SIGKILL)
    until(lambda: len(own(deployment.home)) == 4)
    assert stage.engine.down(deployment.home, stage.said.append)
    assert own(deployment.home) == []


def test_an_interrupted_start_leaves_nothing_running(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())

    new, old = (deployment.home.data / Service.PROMETHEUS / name for name in ("new", "old"))

    def interrupt(progress: Progress) -> None:
        if "ready" in progress.text:
            new.touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.engine.up(deployment, stage.artifacts(deployment), interrupt, 240.0)
    assert own(deployment.home) == []
    assert load(deployment.home) is None
    assert not new.exists()
    # Data of an earlier one stays; what is new in it cannot be told apart.
    old.parent.mkdir(parents=True)
    old.touch()
    with pytest.raises(KeyboardInterrupt):
        stage.engine.up(deployment, stage.artifacts(deployment), interrupt, 240.0)
    assert old.exists()


def test_down_works_with_a_damaged_record(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    deployment.home.record.write_text("{")
    with pytest.raises(EngineError, match="record cannot be read"):
        load(deployment.home)
    assert stage.engine.down(deployment.home, stage.said.append)
    assert own(deployment.home) == []
    assert load(deployment.home) is None


def test_a_state_folder_too_deep_for_a_socket_works_all_the_same(stage: Stage, offsets: Offsets) -> None:
    stage.state = stage.folder / ("deep " * 20) / ("deeper " * 20)
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    assert all(status.ready for status in stage.engine.status(deployment))
    assert deployment.home.short_run.is_symlink()
    stage.engine.down(deployment.home, stage.said.append)
    assert not deployment.home.short_run.is_symlink()


def test_nothing_of_the_callers_environment_reaches_the_programs(
    stage: Stage, offsets: Offsets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://elsewhere:4317")
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere:1")
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    for process in own(deployment.home):
        assert not {"OTEL_EXPORTER_OTLP_ENDPOINT", "HTTP_PROXY"} & process.environ().keys()


def test_a_process_is_ours_also_while_its_program_is_being_started(tmp_path: Path) -> None:
    home = Home.of("anew", {"XDG_STATE_HOME": str(tmp_path)})
    script = tmp_path / "again.sh"
    script.write_text('exec /bin/sh "$0"\n')  # nothing but starts
    with subprocess.Popen(["/bin/sh", script], env={MARK: str(home.root)}) as process:
        try:
            assert all([found.pid for found in own(home)] == [process.pid] for _ in range(100))
        finally:
            process.kill()


def test_logs_show_the_last_lines_of_each_service(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    wanted = {Service.COLLECTOR, Service.JAEGER, Service.PROMETHEUS, Service.ALERTMANAGER}
    # What a program has said goes through a pipe before it is in its log.
    until(lambda: {one.service for one in stage.engine.logs(deployment, LogRequest(lines=1))} == wanted)
    with pytest.raises(EngineError, match="there is no service 'grafana'"):
        stage.engine.logs(deployment, LogRequest(("grafana",)))


def test_a_stranger_on_our_port_after_down_is_told_of_and_left_alone(stage: Stage, offsets: Offsets) -> None:
    deployment = stage.deployment(offsets())
    stage.up(deployment)
    port = deployment.plan.ports[0].native
    os.kill(int((deployment.home.run / "supervisord.pid").read_text()), signal.SIGSTOP)
    os.kill(stage.pids_of(deployment, Service.COLLECTOR)[0], signal.SIGKILL)
    until(lambda: free(port))
    with socket.create_server(("127.0.0.1", port)):
        os.kill(int((deployment.home.run / "supervisord.pid").read_text()), signal.SIGCONT)
        assert stage.engine.down(deployment.home, stage.said.append)
        assert any("not this deployment's" in progress.text for progress in stage.said)
        assert not free(port)
