"""The embedded engine: up, status, logs, down, on a real process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from loom.cli.trace import command as show_trace
from loom.deploy import api
from loom.deploy.artifacts.model import Artifact
from loom.deploy.engine.choice import choose
from loom.deploy.engine.deployment import Deployment, Home, load
from loom.deploy.engine.embedded import RECEIVER, EmbeddedEngine, page, ports
from loom.deploy.engine.processes import end, free, own
from loom.deploy.engine.protocol import LogRequest, Progress
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile import load as load_profile
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Size
from loom.errors import EngineError, FindingError

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "programs" / "whole_contract.py"
ENGINE = EmbeddedEngine()


def plan_at(offset: int) -> Plan:
    profile = Profile.model_validate(
        {"name": "dev", "ports": {"offset": offset}, "volumes": {"prometheus": Size.parse("20GB")}}
    )
    return derive(profile)


@dataclass
class Stage:
    """A home, and ports that are free."""

    home: Home
    plan: Plan
    said: list[Progress] = field(default_factory=list)

    def deployment(self, plan: Plan | None = None) -> Deployment:
        """What is to run."""
        return Deployment(self.home, ENGINE.name, plan or self.plan)

    def up(self, plan: Plan | None = None, deadline: float = 240.0) -> None:
        """Start it."""
        ENGINE.up(self.deployment(plan), (Artifact(".env", "A=1\n", "x."),), self.said.append, deadline)

    def ports(self) -> list[int]:
        """OTLP/gRPC, OTLP/HTTP, the page."""
        otlp = [self.plan.port(Service.COLLECTOR, each) for each in (Purpose.OTLP_GRPC, Purpose.OTLP_HTTP)]
        return [port.native for port in (*otlp, self.plan.port(Service.GRAFANA, Purpose.UI))]


def other_plan(*taken: int) -> Plan:
    offsets = range(7_000 + os.getpid() % 100, 9_800, 101)
    plans = (plan_at(offset) for offset in offsets if offset not in taken)
    return next(plan for plan in plans if all(free(port.native) for port in plan.ports))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage on which nothing runs any more afterwards."""
    stage = Stage(Home.of("dev", {"XDG_STATE_HOME": str(tmp_path)}), other_plan())
    yield stage
    end(own(stage.home), 1.0)
    stage.home.forget()


def report(plan: Plan) -> dict[str, object]:
    with urllib.request.urlopen(f"{page(plan)}/api/report") as response:  # noqa: S310 - our own http
        found: dict[str, object] = json.load(response)
    return found


def test_what_a_program_sends_to_the_plans_port_is_on_the_page(stage: Stage) -> None:
    stage.up()
    assert ENGINE.run(stage.deployment(), [sys.executable, str(PROGRAM)], {}) == 0
    found = report(stage.plan)
    assert (found["percent"], found["problems"]) == (100.0, [])
    assert (stage.home.rendered / ".env").read_text() == "A=1\n"


def test_a_protected_plan_is_refused_with_what_runs_it_and_nothing_is_started_or_written(
    stage: Stage,
) -> None:
    protected = derive(load_profile("prod"))
    with pytest.raises(EngineError, match="cannot run the profile prod: it speaks no TLS") as refused:
        stage.up(protected)
    assert "--engine native" in refused.value.problems[0].hint
    assert own(stage.home) == []
    assert not stage.home.root.exists()
    stage.up()
    with pytest.raises(EngineError, match="it speaks no TLS"):
        stage.up(protected)
    assert len(own(stage.home)) == 1  # what ran before goes on


BALANCED = ("metrics.delivery=otlp", "collector.replicas=2", "collector.topology=gateway")


def test_behind_a_balancer_it_takes_the_balancers_ports_since_loom_sends_there() -> None:
    plan = derive(load_profile("dev", BALANCED))
    grpc, http, _ = ports(plan)
    assert {grpc.service, http.service} == {Service.BALANCER}
    assert plan.reached(Service.BALANCER, Purpose.OTLP_GRPC).endswith(f":{grpc.native}")


def test_behind_a_balancer_it_says_where_loom_sends(stage: Stage) -> None:
    offset = stage.plan.profile.ports.offset
    plan = derive(load_profile("dev", (*BALANCED, f"ports.offset={offset}")))
    stage.up(plan)
    told = [one.text.rpartition(" ")[2] for one in stage.said if one.service == RECEIVER]
    assert told == [f"http://localhost:{plan.profile.ports.otlp_grpc + offset}"]
    assert ENGINE.status(stage.deployment(plan))[0].url == told[0]


def test_it_cannot_be_both_collectors_of_a_split(stage: Stage) -> None:
    split = derive(load_profile("dev", ("metrics.delivery=otlp", "collector.topology=split")))
    with pytest.raises(EngineError, match="it is one receiver, and Loom sends to two"):
        stage.up(split)
    assert not stage.home.root.exists()


def test_a_protected_plan_is_refused_before_anybody_asks_for_its_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    plan = derive(load_profile("prod"))
    with pytest.raises(EngineError, match="it speaks no TLS"):
        api.up(plan, choose(plan, ENGINE.name), print)
    assert list(tmp_path.rglob("*")) == []


def test_status_says_where_the_receiver_and_the_page_are_and_down_leaves_nothing(stage: Stage) -> None:
    stage.up()
    record = load(stage.home)
    assert record is not None
    receiver, shown = ENGINE.status(record)
    assert (receiver.service, shown.service) == ("receiver", "page")
    assert receiver.ready
    assert shown.ready
    assert shown.url == page(stage.plan)
    assert [process.pid for process in own(stage.home)] == [receiver.pid] == [shown.pid]
    assert ENGINE.down(stage.home, stage.said.append)
    assert own(stage.home) == []
    assert all(free(port) for port in stage.ports())
    assert load(stage.home) is None
    assert not ENGINE.down(stage.home, stage.said.append)


def test_up_again_keeps_what_runs_and_other_ports_move_it(stage: Stage) -> None:
    stage.up()
    first = own(stage.home)[0].pid
    stage.up()
    assert [process.pid for process in own(stage.home)] == [first]
    moved = other_plan(stage.plan.profile.ports.offset)
    stage.up(moved)
    second = own(stage.home)
    assert [process.pid for process in second] != [first]
    assert len(second) == 1
    assert all(free(port) for port in stage.ports())
    assert report(moved)["version"] == 0


def test_a_port_that_is_taken_is_named_with_its_holder_and_nothing_is_started(stage: Stage) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", stage.ports()[2]))
        holder.listen()
        with pytest.raises(EngineError, match=f"{stage.ports()[2]}.*pid {os.getpid()}"):
            stage.up()
    assert own(stage.home) == []
    assert load(stage.home) is None


def test_a_process_that_was_killed_is_told_of_and_can_be_started_again(stage: Stage) -> None:
    stage.up()
    process = own(stage.home)[0]
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    statuses = ENGINE.status(stage.deployment())
    assert {status.state for status in statuses} == {"ABSENT"}
    assert not any(status.ready for status in statuses)
    stage.up()
    assert all(status.ready for status in ENGINE.status(stage.deployment()))


def test_a_start_that_fails_says_why_and_leaves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loom.deploy.engine.embedded._MODULE", "loom.deploy.no_such_module")
    with pytest.raises(EngineError, match=r"ended at once(.|\n)*no_such_module"):
        stage.up()
    assert own(stage.home) == []
    assert load(stage.home) is None


def test_an_interrupt_during_up_leaves_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("loom.deploy.engine.embedded._obstacle", interrupt)
    with pytest.raises(KeyboardInterrupt):
        stage.up()
    assert own(stage.home) == []
    assert load(stage.home) is None


def test_the_log_has_each_problem_once(stage: Stage) -> None:
    stage.up()
    for _ in range(2):
        ENGINE.run(stage.deployment(), [sys.executable, str(PROGRAM), "--also", "loom.router.surprise"], {})
    lines = ENGINE.logs(stage.deployment(), LogRequest(follow=True))
    assert next(line.text for line in lines if "surprise" in line.text).endswith("a scope of your own)")
    written = [line.text for line in ENGINE.logs(stage.deployment(), LogRequest())]
    assert len([line for line in written if "surprise" in line]) == 1
    with pytest.raises(EngineError, match="there is no service 'jaeger'"):
        ENGINE.logs(stage.deployment(), LogRequest(("jaeger",)))


def test_a_trace_is_shown_as_a_tree_by_its_id_and_without_one(stage: Stage) -> None:
    stage.up()
    state = {"XDG_STATE_HOME": str(stage.home.root.parents[1])}
    none = CliRunner().invoke(show_trace, ["--name", "dev"], env=state)
    assert isinstance(none.exception, FindingError)
    ENGINE.run(stage.deployment(), [sys.executable, str(PROGRAM)], {})
    shown = CliRunner().invoke(show_trace, ["--name", "dev"], env=state)
    assert shown.exit_code == 0, shown.output
    (trace_id,) = re.findall(r"^trace ([0-9a-f]{32})$", shown.stdout, re.MULTILINE)
    assert f"  {page(stage.plan)}/#trace={trace_id}\n" in shown.stdout
    assert "└─ " in shown.stdout
    assert CliRunner().invoke(show_trace, [trace_id, "--name", "dev"], env=state).stdout == shown.stdout
    machine = CliRunner().invoke(show_trace, [trace_id, "--name", "dev", "--json"], env=state)
    assert {span["operation"].split(" ")[0] for span in json.loads(machine.stdout)["spans"]} >= {
        "publish",
        "run",
    }
    for absent in (["f" * 32], ["--service", "nobody"]):
        result = CliRunner().invoke(show_trace, [*absent, "--name", "dev"], env=state)
        assert isinstance(result.exception, FindingError), result.output


def test_another_engines_deployment_is_left_alone(stage: Stage) -> None:
    stage.home.make()
    Deployment(stage.home, "native", stage.plan).save()
    environment = {**os.environ, "LOOM_DEPLOYMENT": str(stage.home.root)}
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment
    ) as theirs:
        with pytest.raises(EngineError, match="dev runs on the native engine"):
            stage.up()
        assert not ENGINE.down(stage.home, stage.said.append)
        assert theirs.poll() is None
        theirs.kill()
    assert load(stage.home) is not None
