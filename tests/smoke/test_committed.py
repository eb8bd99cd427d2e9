"""The committed deployment on its documented ports, and the document's commands, typed as they stand there.

On compose it is the committed file, started by pytest-docker; on native `loom-deploy up --profile dev`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pytest_docker.plugin import Services, get_docker_services

from loom.contract import metrics as m
from loom.deploy import programs, toolchain
from loom.deploy.artifacts import compose, prometheus, workload
from loom.deploy.artifacts.documents import metrics, traffic
from loom.deploy.engine import Home, conflict
from loom.deploy.engine.compose.project import OPTIONAL, project
from loom.deploy.engine.compose.whales import Whales
from loom.deploy.plan import derive
from loom.deploy.profile import load
from loom.deploy.verify import Question, prove
from loom.errors import PortConflictError
from tests.smoke.engines import ENGINES, NOT_RUN, SECONDS, Done, clean, deploy
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]

COMMITTED = Path(__file__).parents[2] / "generated" / "dev"
FILES = [path for path in COMMITTED.rglob("*") if path.is_file()]
NAME = "committed"
"""Of the deployment, so that it has no state, project or volume in common with anybody's `dev`."""
DOWN = f"--profile {workload.LOOM_PROFILE} down -v"
PLAN = derive(load("dev"))
PAGES = {
    "http://localhost:9090/targets": "Error opening React index.html",
    "http://localhost:16686": "not compiled with the UI assets",
}
"""Page of the document → what a program built from its Go module alone answers in its place."""


@dataclass(frozen=True)
class Committed:
    """The deployment, after the example has reported to it."""

    pids: dict[str, int]
    """Service → pid."""
    not_run: dict[str, str]
    """Service → why it does not run."""
    since: float
    example: Done


def typed(command: str) -> Done:
    """A command as a user types it into a shell."""
    folder = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-c", command],
        env={**clean(), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def native_services(state: Path, pytestconfig: pytest.Config) -> Iterator[None]:
    """What pytest-docker does for compose: up, and down whatever happens."""
    try:
        done = deploy(state, "up", "--profile", "dev", "--engine", "native", "--name", NAME)
        assert done.returncode == 0, done.stderr  # says who holds a port that is taken
        pytestconfig.stash[NOT_RUN] = dict(
            re.findall(r"^  not run: (\S+) \((.*)\)$", done.stdout, re.MULTILINE)
        )
        yield
    finally:
        deploy(state, "down", "--name", NAME, "--volumes")


@pytest.fixture(scope="module")
def docker_compose_command() -> str:
    if trouble := Whales().trouble():
        pytest.fail(f"--engine compose: {trouble}")
    if typed("docker compose version").returncode == 0:
        return "docker compose"
    found = toolchain.locate(programs.DOCKER_COMPOSE, os.environ)
    return shlex.quote(str(found.path)) if found else "docker compose"


@pytest.fixture(scope="module")
def docker_compose_file() -> str:
    return str(COMMITTED / compose.NAME)


@pytest.fixture(scope="module")
def docker_compose_project_name(state: Path) -> str:
    return project(home(state)).name


@pytest.fixture(scope="module")
def docker_cleanup() -> list[str]:
    return [DOWN]


@pytest.fixture(scope="module")
def docker_setup(docker_compose_file: str, pytestconfig: pytest.Config) -> list[str]:
    """`up -d` of every service whose image is here; the others are named at the end."""
    services = yaml.safe_load(Path(docker_compose_file).read_text())["services"]
    images = {name: service["image"] for name, service in services.items()}
    lacking = Whales().lacking(set(images.values()))
    absent = {name: f"image {image} is not here" for name, image in images.items() if image in lacking}
    pytestconfig.stash[NOT_RUN] = absent
    here = [name for name in services if name not in absent]
    return [DOWN, f"up -d {' '.join(here)}"]  # what a killed run left goes first


@pytest.fixture(scope="module")
def docker_services(
    docker_compose_command: str,
    docker_compose_file: str,
    docker_compose_project_name: str,
    docker_setup: list[str],
    docker_cleanup: list[str],
) -> Iterator[Services]:
    """pytest-docker's, but of this module: other tests have containers of the documented names too."""
    told = (docker_compose_command, docker_compose_file, docker_compose_project_name)
    # The outer one cleans up even if the setup fails, which the plugin's own fixture does not.
    with get_docker_services(*told, docker_setup[:1], docker_cleanup):
        refuse_taken_ports(docker_setup[-1].split())
        with get_docker_services(*told, docker_setup[1:], []) as services:
            yield services


def refuse_taken_ports(services: Collection[str]) -> None:
    """Fail with who holds one that they publish: Docker would only say that it is taken."""
    published = [port for port in PLAN.ports if port.published and port.service in services]
    try:
        conflict.refuse(PLAN, published, conflict.LINGER)
    except PortConflictError as error:
        pytest.fail(str(error))


def home(state: Path) -> Home:
    return Home.of(NAME, {"XDG_STATE_HOME": str(state)})


@pytest.fixture(scope="module")
def committed(request: pytest.FixtureRequest, state: Path) -> Committed:
    engine = ENGINES[request.config.getoption("--engine")]()
    request.getfixturevalue(engine.committed)
    until(lambda: typed("curl --fail http://localhost:13133").returncode == 0)
    since, example = time.time(), run_example()
    not_run = request.config.stash[NOT_RUN]
    return Committed(engine.pids(home(state)), {**not_run}, since, example)


def run_example() -> Done:
    return typed(
        "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317\n"
        "export OTEL_SERVICE_NAME=loom-example\n"
        "python -m loom.examples.mcp_integration\n"
    )


def test_every_service_runs_but_those_that_the_report_names(committed: Committed) -> None:
    assert {str(service) for service in PLAN.services} - set(committed.not_run) <= set(committed.pids)
    assert set(committed.not_run) <= {str(service) for service in OPTIONAL}, committed.not_run
    assert not set(committed.not_run) & set(committed.pids)


def test_the_example_says_that_it_is_initialised_and_that_everything_arrived(committed: Committed) -> None:
    assert committed.example.returncode == 0, committed.example.stderr
    assert "INFO telemetry: OpenTelemetry initialized successfully" in committed.example.stderr
    assert json.loads(committed.example.stdout.splitlines()[-1])["arrived"]


def test_the_whole_contract_is_proven(committed: Committed) -> None:
    proof = prove(Question(PLAN, committed.since, timeout=PATIENCE))
    assert [(one.subject, one.name, one.verdict, one.detail) for one in proof.bad] == []


def test_the_documents_commands_show_what_it_says(committed: Committed) -> None:
    assert committed.example.returncode == 0
    quickstart = (COMMITTED / "QUICKSTART.md").read_text()
    assert "curl http://localhost:13133" in quickstart
    assert json.loads(typed("curl http://localhost:13133").stdout)["status"] == "Server available"
    # Series of a program that ended go after a minute.
    assert run_example().returncode == 0
    wanted = {PLAN.naming.series(metric).name for metric in (m.event_bus.PUBLISHED, m.router.DECISIONS)}

    def names() -> set[str]:
        lines = typed("curl http://localhost:8889/metrics | grep loom").stdout.splitlines()
        return {re.split(r"[{ ]", line)[0] for line in lines}

    until(lambda: wanted <= names(), lambda: f"{wanted - names()} are not there")


def test_the_first_query_shows_a_number_at_once_and_the_second_after_the_load(committed: Committed) -> None:
    assert committed.example.returncode == 0
    quickstart = (COMMITTED / "QUICKSTART.md").read_text()
    count, rate = re.findall(r"^```promql\n(.*?)\n```$", quickstart, re.MULTILINE | re.DOTALL)

    def values(query: str) -> list[float]:
        told = f"curl --fail --get --data-urlencode {shlex.quote(f'query={query}')}"
        found = json.loads(typed(f"{told} http://localhost:9090/api/v1/query").stdout)
        return [float(one["value"][1]) for one in found["data"]["result"]]

    assert run_example().returncode == 0  # as above
    until(lambda: min(values(count), default=0) > 0)
    load = typed(f"export OTEL_SERVICE_NAME=loom-example\n{traffic.load(PLAN)}")
    assert load.returncode == 0, load.stderr
    until(lambda: sum(values(rate)) > traffic.RATE / 20)
    until(lambda: bool(values(metrics.first(PLAN)[2].query.text)))  # the quantile


def test_every_target_is_up_on_the_documented_address(committed: Committed) -> None:
    assert committed.example.returncode == 0

    def health() -> dict[str, str]:
        found = json.loads(typed("curl --fail http://localhost:9090/api/v1/targets").stdout)
        return {one["labels"]["job"]: one["health"] for one in found["data"]["activeTargets"]}

    until(lambda: health() == {target.job: "up" for target in prometheus.targets(PLAN)})


def test_jaeger_knows_the_service(committed: Committed) -> None:
    assert committed.example.returncode == 0

    def services() -> list[str]:
        return list(json.loads(typed("curl --fail http://localhost:16686/api/services").stdout)["data"])

    until(lambda: "loom-example" in services())


@pytest.mark.parametrize(("page", "placeholder"), PAGES.items(), ids=list(PAGES))
def test_a_documented_page_is_there_or_named_in_the_report(
    committed: Committed, pytestconfig: pytest.Config, page: str, placeholder: str
) -> None:
    assert committed.pids
    answer = typed(f"curl --silent --write-out '\n%{{http_code}}' {page}").stdout
    if placeholder in answer:
        pytestconfig.stash[NOT_RUN][page] = "this build of the program has no pages, only its API"
    else:
        assert answer.endswith("\n200")
        assert "<html" in answer.lower()
