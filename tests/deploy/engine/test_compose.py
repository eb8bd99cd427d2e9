"""The compose engine on a daemon in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import yaml

from loom.deploy.artifacts.model import Artifact
from loom.deploy.artifacts.render import render
from loom.deploy.engine import ComposeEngine, Deployment, Home, LogRequest, Progress, choose, load, undoing
from loom.deploy.engine.compose import Box, FakeDaemon, state
from loom.deploy.engine.compose.project import images
from loom.deploy.engine.processes import free
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Size
from loom.errors import EngineError, PortConflictError

PROJECT = "loom-observability-dev"
STACK = ("otel-collector", "jaeger", "prometheus", "alertmanager")


@dataclass
class Yard:
    """A daemon, an engine on it, and a deployment."""

    deployment: Deployment
    artifacts: tuple[Artifact, ...]
    daemon: FakeDaemon = field(default_factory=FakeDaemon)
    said: list[Progress] = field(default_factory=list)
    mute: dict[str, str] = field(default_factory=dict)
    """Service → why it does not answer."""

    @property
    def engine(self) -> ComposeEngine:
        """A new one, as each command has."""
        return ComposeEngine(self.daemon, lambda _, service: self.mute.get(service, ""))

    @property
    def home(self) -> Home:
        """The deployment's."""
        return self.deployment.home

    def up(self, deadline: float = 0.0) -> None:
        """Start it."""
        self.engine.up(self.deployment, self.artifacts, self.said.append, deadline)

    def down(self, **options: bool) -> bool:
        """Stop it."""
        return self.engine.down(self.home, self.said.append, **options)

    def left(self) -> object:
        """What there is of the project, its volumes too."""
        return self.daemon.there.get(PROJECT), self.daemon.volumes(PROJECT)


@pytest.fixture(scope="module")
def artifacts(plan: Plan) -> tuple[Artifact, ...]:
    return render(plan)


@pytest.fixture(scope="module")
def plan() -> Plan:
    settings = {"ports": {"offset": 9_000}, "volumes": {"prometheus": Size.parse("20GB")}}
    return derive(Profile.model_validate({"name": "dev", **settings}))


@pytest.fixture
def yard(plan: Plan, artifacts: tuple[Artifact, ...], tmp_path: Path) -> Yard:
    """Every image is here but Grafana's, which cannot be pulled."""
    home = Home.of("dev", {"XDG_STATE_HOME": str(tmp_path)})
    yard = Yard(Deployment(home, "compose", plan), artifacts)
    every = images(plan)
    yard.daemon.images = set(every.values()) - {every["grafana"]}
    yard.daemon.refused = {every["grafana"]: "no such host"}
    return yard


def test_what_has_an_image_runs_and_what_has_none_is_named_with_the_way_to_it(yard: Yard) -> None:
    yard.up()
    assert set(yard.daemon.there[PROJECT]) == {*STACK, "loom", "probe"}
    assert all(status.ready for status in yard.engine.status(yard.deployment))
    absences = yard.engine.absences(yard.deployment.plan)
    assert set(absences) == {"grafana"}
    assert "grafana/grafana:13.2.3 is not here, no such host; to have it: docker pull" in absences["grafana"]
    ready = {step.service for step in yard.said if "ready after" in step.text}
    assert ready == {*STACK, "loom", "probe"}


def test_without_our_own_image_the_stack_runs_and_the_way_to_it_is_said(yard: Yard) -> None:
    own = images(yard.deployment.plan)["loom"]
    yard.daemon.images.discard(own)
    yard.daemon.refused[own] = "no registry has it"
    yard.up()
    assert set(yard.daemon.there[PROJECT]) == set(STACK)
    assert "loom-deploy images build" in yard.engine.absences(yard.deployment.plan)["loom"]
    with pytest.raises(EngineError, match="loom-deploy images build"):
        yard.engine.run(yard.deployment, ["python3"], {})


def test_an_image_that_can_be_had_is_pulled_before_anything_starts(yard: Yard) -> None:
    jaeger = images(yard.deployment.plan)["jaeger"]
    yard.daemon.images.discard(jaeger)
    yard.up()
    assert yard.daemon.pulled == [jaeger]
    assert next(step.text for step in yard.said) == f"pulling {jaeger}"
    assert all("never" in asked for asked in yard.daemon.asked if asked[0] == "up")


def test_without_an_image_that_everything_needs_nothing_is_started(yard: Yard) -> None:
    prometheus = images(yard.deployment.plan)["prometheus"]
    yard.daemon.images.discard(prometheus)
    yard.daemon.refused[prometheus] = "toomanyrequests"
    with pytest.raises(EngineError, match=r"^prometheus: image prom/prometheus\S+ is not here, toomany"):
        yard.up()
    assert yard.daemon.asked == []
    assert load(yard.home) is None


def test_the_choice_passes_over_a_daemon_without_images_and_says_what_would_change_that(yard: Yard) -> None:
    yard.daemon.cannot = "no Docker daemon answers: refused"
    with pytest.raises(EngineError, match="engine compose cannot work here: no Docker daemon answers"):
        choose(yard.deployment.plan, "", (yard.engine,))
    yard.daemon.cannot = ""
    yard.daemon.images.clear()
    yard.daemon.refused = dict.fromkeys(images(yard.deployment.plan).values(), "no such host")
    with pytest.raises(EngineError, match=r"jaeger: image .* or loom-deploy images build"):
        choose(yard.deployment.plan, "", (yard.engine,))


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box("loom-jaeger", "jaeger", "restarting", restarts=4, exit_code=1), "exit code 1"),
        (Box("loom-jaeger", "jaeger", "exited", exit_code=137), "exit code 137"),
        (
            Box("loom-jaeger", "jaeger", "exited", killed_for_memory=True, memory=128 * 2**20),
            "needed more memory than its limit of 128MiB",
        ),
        (
            Box("loom-jaeger", "jaeger", "running", "unhealthy", pid=1, checked="refused"),
            "unhealthy: refused",
        ),
        (Box("loom-jaeger", "jaeger", "created", error="no such file"), "created: no such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_container_that_cannot_be_is_named_with_cause_and_words_and_nothing_is_left(
    yard: Yard, box: Box, reason: str
) -> None:
    yard.daemon.fate["jaeger"] = box
    yard.daemon.failure = "dependency failed to start" if box.state == "created" else ""
    with pytest.raises(EngineError, match="jaeger is not ready") as caught:
        yard.up(60.0)
    assert reason in str(caught.value)
    assert "loom-jaeger speaks" in str(caught.value)
    assert yard.left() == (None, set())
    assert load(yard.home) is None


def test_one_that_never_answers_is_named_with_the_reason_and_the_others_are_not(yard: Yard) -> None:
    yard.mute["prometheus"] = "http://127.0.0.1:18090/-/ready answers 503"
    with pytest.raises(EngineError) as caught:
        yard.up()
    assert [problem.message.split()[0] for problem in caught.value.problems] == ["prometheus"]
    assert "answers 503" in str(caught.value)


def test_data_from_before_outlives_a_start_that_fails(yard: Yard) -> None:
    yard.daemon.data[PROJECT] = {"of-last-week"}
    yard.mute["jaeger"] = "no"
    with pytest.raises(EngineError):
        yard.up()
    assert yard.left() == (None, {"of-last-week"})


def test_a_failed_refresh_leaves_what_ran_before(yard: Yard) -> None:
    yard.up()
    before = load(yard.home)
    yard.mute["jaeger"] = "no"
    with pytest.raises(EngineError):
        yard.up()
    assert set(yard.daemon.there[PROJECT]) >= set(STACK)
    now = load(yard.home)
    assert before is not None
    assert now is not None
    assert now.started == before.started
    assert [one.service for one in yard.engine.status(now) if not one.ready] == ["jaeger"]


def test_health_from_before_is_no_verdict_on_what_it_needs_now(yard: Yard) -> None:
    yard.up()
    there = yard.daemon.there[PROJECT]
    there["loom"] = replace(there["loom"], health="unhealthy", checked="no collector")
    with pytest.raises(EngineError, match="loom is not ready after 1 s: unhealthy: no collector") as caught:
        yard.up(1.0)
    assert len(caught.value.problems) == 1

    def check(step: Progress) -> None:
        yard.said.append(step)
        if "next health check will tell" in step.text:
            there["loom"] = replace(there["loom"], health="healthy")

    yard.said.clear()
    yard.engine.up(yard.deployment, yard.artifacts, check, 60.0)
    told = [step.text.partition(" after")[0] for step in yard.said if step.service == "loom"]
    assert told == ["was unhealthy; its next health check will tell", "ready"]


def test_up_again_changes_nothing_and_says_so(yard: Yard) -> None:
    yard.up()
    before = dict(yard.daemon.there[PROJECT])
    yard.up()
    assert yard.daemon.there[PROJECT] == before
    assert any("same configuration" in step.text for step in yard.said)


def test_an_interrupt_at_any_step_leaves_nothing(yard: Yard) -> None:
    yard.up()
    steps = len(yard.said)
    yard.down(volumes=True)
    assert yard.left() == (None, set())
    for number in range(steps):
        moments = iter([False] * number + [True])

        def interrupt(_: Progress, moments: Iterator[bool] = moments) -> None:
            if next(moments, False):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            yard.engine.up(yard.deployment, yard.artifacts, interrupt, 60.0)
        assert yard.left() == (None, set()), f"after step {number}"
        assert load(yard.home) is None


def test_an_interrupt_after_it_is_up_leaves_the_data_that_was_there_and_nothing_else(yard: Yard) -> None:
    nothing = undoing(yard.engine, yard.home, yard.said.append)
    nothing()
    assert yard.said == []
    for kept in (False, True):
        undo = undoing(yard.engine, yard.home, yard.said.append)
        yard.up()
        undo()
        assert yard.left() == (None, yard.daemon.volumes(PROJECT))
        assert bool(yard.daemon.volumes(PROJECT)) is kept
        assert load(yard.home) is None
        yard.up()
        yard.down()
    yard.up()
    undoing(yard.engine, yard.home, yard.said.append)()
    assert load(yard.home) is not None, "another `up` made it"
    yard.daemon.cannot = "no Docker daemon answers"
    assert not yard.engine.has_data(yard.home)


def test_a_port_of_another_container_is_a_conflict_that_names_it_and_a_way_out(yard: Yard) -> None:
    port = yard.deployment.plan.port(Service.PROMETHEUS, Purpose.UI).native
    yard.daemon.strangers = {"their-db": ("theirs", frozenset({port}))}
    with pytest.raises(PortConflictError) as caught:
        yard.up()
    assert caught.value.exit_code == 6
    problem = caught.value.problems[0]
    assert problem.message == f"port {port} (prometheus ui) is taken by container their-db"
    offset = int(problem.hint.partition("ports.offset=")[2].split(";")[0])
    more = offset - yard.deployment.plan.profile.ports.offset
    assert more > 0
    assert all(free(each.native + more) for each in yard.deployment.plan.ports)
    assert yard.daemon.asked == []


def test_a_port_lost_at_the_last_moment_is_a_conflict_too(yard: Yard) -> None:
    yard.daemon.failure = "Error: Bind for 127.0.0.1:18090 failed: port is already allocated"
    with pytest.raises(PortConflictError, match=r"127\.0\.0\.1:18090"):
        yard.up()
    assert yard.left() == (None, set())


def test_ports_of_our_own_running_containers_are_no_conflict(yard: Yard) -> None:
    port = yard.deployment.plan.port(Service.JAEGER, Purpose.UI).native
    yard.daemon.fate["jaeger"] = Box("loom-jaeger", "jaeger", "running", pid=1, ports=frozenset({port}))
    yard.up()
    yard.up()
    assert any("same configuration" in step.text for step in yard.said)


def test_a_container_name_of_another_project_is_refused_with_whose_it_is(yard: Yard) -> None:
    yard.daemon.strangers = {"loom-jaeger": ("loom-observability-prod", frozenset())}
    with pytest.raises(EngineError, match=r"container loom-jaeger already, of the compose project .*-prod"):
        yard.up()
    assert yard.daemon.asked == []


def test_a_deployment_of_another_name_has_containers_of_its_own(yard: Yard, tmp_path: Path) -> None:
    home = Home.of("other", {"XDG_STATE_HOME": str(tmp_path)})
    deployment = Deployment(home, "compose", yard.deployment.plan)
    yard.engine.up(deployment, yard.artifacts, yard.said.append, 0.0)
    assert set(yard.daemon.there) == {"loom-observability-other"}
    override = yaml.safe_load((home.run / "compose.override.yaml").read_text())["services"]
    assert override["otel-collector"] == {"container_name": "loom-other-otel-collector"}
    rendered = yaml.safe_load((home.rendered / "docker-compose.observability.yaml").read_text())["services"]
    assert override.keys() == {name for name, one in rendered.items() if "container_name" in one}


def test_down_keeps_the_data_unless_told_and_needs_no_record(yard: Yard) -> None:
    yard.up()
    yard.home.record.unlink()
    assert yard.down()
    assert yard.left() == (None, {f"{PROJECT}_data"})
    assert not yard.down()
    assert yard.down(volumes=True)
    assert yard.left() == (None, set())


def test_down_without_a_daemon_is_an_error_only_where_containers_may_run(yard: Yard) -> None:
    yard.daemon.cannot = "no Docker daemon answers"
    assert not yard.down()
    yard.daemon.cannot = ""
    yard.up()
    yard.daemon.cannot = "no Docker daemon answers"
    with pytest.raises(EngineError, match="no Docker daemon answers"):
        yard.down()
    assert load(yard.home) is not None


@pytest.mark.parametrize("recorded", [True, False])
def test_images_are_removed_with_a_word_about_each(yard: Yard, *, recorded: bool) -> None:
    yard.up()
    if not recorded:
        yard.home.record.unlink()
    yard.down(images=True)
    assert yard.daemon.images == set()
    said = [step.text for step in yard.said]
    assert "image prom/prometheus:v3.16.0 is gone" in said


def test_a_program_runs_in_a_container_of_loom_with_its_variables(yard: Yard) -> None:
    yard.up()
    assert yard.engine.run(yard.deployment, ["python3", "-m", "agents"], {"A": "1"}) == 0
    asked = yard.daemon.asked[-1]
    assert asked[0] == "run"
    assert asked[asked.index("--entrypoint") + 1] == "python3"
    assert asked[-3:] == ("loom", "-m", "agents")
    # Not the name of the demonstration, which is what the service itself runs.
    assert asked[-7:-3] == ("--env", "OTEL_SERVICE_NAME=loom-core", "--env", "A=1")


def test_logs_of_a_service_that_there_is_not_name_those_there_are(yard: Yard) -> None:
    yard.up()
    assert [line.text for line in yard.engine.logs(yard.deployment, LogRequest(("jaeger",)))] == [
        "loom-jaeger speaks"
    ]
    with pytest.raises(EngineError, match=r"there is no service 'grafana' \(one of otel-collector,"):
        yard.engine.logs(yard.deployment, LogRequest(("grafana",)))


def test_restarts_of_long_ago_are_no_loop(plan: Plan) -> None:
    box = Box("loom-jaeger", "jaeger", "running", pid=1, started=1000.0, restarts=9)

    def looping(now: float) -> bool:
        return state.statuses(plan, ["jaeger"], {"jaeger": box}, now, lambda *_: "")[0].looping

    assert looping(1000.0 + state.RECENT / 2)
    assert not looping(1000.0 + state.RECENT * 2)


@pytest.mark.parametrize(
    ("box", "word"),
    [
        (Box("loom-jaeger", "jaeger", "running", pid=1), "RUNNING"),
        (Box("loom-jaeger", "jaeger", "running", "unhealthy", pid=1), "UNHEALTHY"),
        (Box("loom-jaeger", "jaeger", "restarting", exit_code=1), "RESTARTING"),
        (Box("loom-jaeger", "jaeger", "exited", exit_code=0), "STOPPED"),
        (Box("loom-jaeger", "jaeger", "exited", exit_code=127, error="no such file"), "FATAL"),
        (Box("loom-jaeger", "jaeger", "dead"), "FATAL"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_somebody_stopped_is_told_from_what_cannot_run(plan: Plan, box: Box, word: str) -> None:
    (status,) = state.statuses(plan, ["jaeger"], {"jaeger": box}, 0.0, lambda *_: "")
    assert status.state == word
    assert status.looping is (word == "FATAL")
    assert status.ready is (word == "RUNNING")


def test_compose_that_does_not_end_is_said_where_all_containers_are_ready(yard: Yard) -> None:
    yard.daemon.unended = "Container loom-jaeger  Starting\nContainer loom-jaeger  Waiting\n"
    expected = r"docker compose has not ended after 0 s \(it said at last: Container loom-jaeger  Waiting\)"
    with pytest.raises(EngineError, match=expected):
        yard.up(-1.0)
