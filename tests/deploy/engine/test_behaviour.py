"""What every engine keeps to, on the real programs, by the command line: written once, run on each."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from loom.deploy.artifacts.render import render
from loom.deploy.engine import ComposeEngine, Deployment, Home, named
from loom.deploy.engine.compose import Whales
from loom.deploy.engine.compose.launch import left
from loom.deploy.engine.processes import free, own
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile import load
from loom.errors import EngineError
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]
Offsets = Callable[[], int]  # a type of conftest, which test modules cannot import
Done = subprocess.CompletedProcess[str]
Begun = subprocess.Popen[str]
NAME = "behaviour"
_INCOMPLETE = ("init_import_site", "Could not import runpy module")
"""What the interpreter says when it is interrupted while it starts, and then exits with 1."""


@dataclass
class Site:
    """One deployment on one engine."""

    engine: str
    state: Path
    offset: int

    @property
    def home(self) -> Home:
        """Its folders."""
        return Home.of(NAME, {"XDG_STATE_HOME": str(self.state)})

    @property
    def plan(self) -> Plan:
        """Its ports."""
        return derive(load("dev", self.sets()))

    def sets(self) -> tuple[str, ...]:
        """Diagnostics have ports of their own, too high for every offset."""
        return (f"ports.offset={self.offset}", "collector.diagnostics=false")

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "loom.cli", *arguments]

    def run(self, *arguments: str) -> Done:
        """Run it to its end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """The caller's, with a state folder of its own."""
        return {**os.environ, "XDG_STATE_HOME": str(self.state)}

    def starting(self, *more: str) -> tuple[str, ...]:
        """The arguments of `up`."""
        sets = [part for text in self.sets() for part in ("--set", text)]
        return ("up", "--profile", "dev", "--engine", self.engine, "--name", NAME, *sets, *more)

    def up(self, *more: str) -> Done:
        """Start it, which must work."""
        done = self.run(*self.starting(*more))
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def down(self, *more: str) -> Done:
        """Stop it."""
        return self.run("down", "--name", NAME, *more)

    def rows(self) -> dict[str, list[str]]:
        """Service → the words of its line in `status`."""
        table = self.run("status", "--name", NAME).stdout.partition("\n\n")[0].splitlines()[2:]
        return {line.split()[0]: line.split()[1:] for line in table}

    def pids(self) -> dict[str, str]:
        """Service → pid, of those that run."""
        return {service: words[1] for service, words in self.rows().items() if words[1].isdigit()}

    def left(self, *, volumes: bool = True) -> list[object]:
        """Everything that there still is of the deployment."""
        found: list[object] = [process.pid for process in own(self.home)]
        found += [port.native for port in self.plan.ports if port.published and not free(port.native)]
        if volumes:
            found += [path for path in self.home.data.rglob("*") if path.is_file()]
        if self.engine == "compose":
            project, docker = f"loom-observability-{NAME}", Whales()
            found += left(docker, project, set() if volumes else docker.volumes(project))
        return [*found, self.home.record] if self.home.record.exists() else found


_COMPOSE = pytest.param("compose", marks=pytest.mark.docker)
of_every_engine = pytest.mark.parametrize("engine", ["native", _COMPOSE, "embedded"], indirect=True)
of_the_real_stack = pytest.mark.parametrize("engine", ["native", _COMPOSE], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The engine, if it can work here; one that cannot fails where CI is set."""
    if request.param == "compose":
        obstacle = ComposeEngine().obstacle() or _absent()
        if obstacle:
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up(f"engine compose: {obstacle}")
    return str(request.param)


def _absent() -> str:
    docker = ComposeEngine()
    absences = docker.absences(derive(load("dev", ())))
    return "; ".join(why for service, why in absences.items() if docker.essential(service))


@pytest.fixture
def site(engine: str, tmp_path: Path, offsets: Offsets) -> Iterator[Site]:
    """A site at which nothing stays."""
    site = Site(engine, tmp_path / "state", offsets())
    yield site
    site.down("--volumes")
    assert site.left() == []


@of_the_real_stack
def test_a_deployment_lives_its_whole_life(site: Site) -> None:
    said = site.up().stdout
    assert f"engine {site.engine}: as asked for" in said
    port = site.plan.port(Service.PROMETHEUS, Purpose.UI).native
    assert f"http://localhost:{port}" in said
    rows = site.rows()
    for service in ("otel-collector", "jaeger", "prometheus", "alertmanager"):
        assert "yes" in rows[service], rows
    assert site.run("status", "--name", NAME).returncode == 0

    # Again changes nothing; another profile what it must.
    before = site.pids()
    assert "same configuration" in site.up().stdout
    assert site.pids() == before
    site.up("--set", "metrics.scrape_interval=6s")
    after = site.pids()
    assert {service for service in before if before[service] != after[service]} == {"prometheus"}

    # Logs are of the service asked for.
    lines = site.run("logs", "--name", NAME, "otel-collector", "--lines", "200").stdout.splitlines()
    assert any("Everything is ready" in line for line in lines)
    assert {line.split("|")[0].strip() for line in lines} == {"otel-collector"}

    # A program that is killed comes back.
    os.kill(int(after["alertmanager"]), signal.SIGKILL)
    until(lambda: site.pids().get("alertmanager", after["alertmanager"]) != after["alertmanager"])
    until(lambda: site.run("status", "--name", NAME).returncode == 0)

    # Down leaves the data and nothing else, twice is no error, and then the data goes too.
    assert site.down().returncode == 0
    assert site.left(volumes=False) == []
    assert site.down().stdout.endswith("nothing was running\n")
    site.up()
    assert site.down("--volumes").returncode == 0
    assert site.left() == []


@of_every_engine
def test_up_again_leaves_it_alone_and_down_leaves_nothing_of_it(site: Site) -> None:
    site.up()
    before = site.pids()
    assert before
    assert "is up already, with the same" in site.up().stdout
    assert site.pids() == before
    assert site.down("--volumes").stdout.endswith(f"{NAME} is down\n")
    assert site.left() == []
    assert site.run("status", "--name", NAME).returncode == 4


@of_every_engine
def test_a_program_of_ours_reports_to_the_deployment(site: Site) -> None:
    site.up()
    code = "import os, json; print(json.dumps(dict(os.environ)))"
    arguments = ("--name", NAME, "--env", "OTEL_SERVICE_NAME=mine", "--", "python3", "-c", code)
    done = subprocess.run(
        [sys.executable, "-c", "from loom.cli.run import command; command()", *arguments],
        env=site.environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    address = site.plan.published(Service.COLLECTOR, Purpose.OTLP_GRPC)
    inside = "otel-collector:4317" if site.engine == "compose" else address
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://{inside}"
    assert found["OTEL_SERVICE_NAME"] == "mine"


@of_every_engine
def test_a_taken_port_is_exit_6_with_its_holder_and_an_offset_that_works_and_nothing_starts(
    site: Site,
) -> None:
    port = site.plan.port(Service.COLLECTOR, Purpose.OTLP_HTTP).native
    with socket.create_server(("127.0.0.1", port)):
        done = site.run(*site.starting())
        assert done.returncode == 6, done.stderr
        assert f"port {port} (otel-collector otlp_http) is taken by pid {os.getpid()}" in done.stderr
        assert site.left() == [port]
        way = done.stderr.partition("--set ")[2].split(";")[0]
        site.up("--set", way)
        site.down("--volumes")


@of_the_real_stack
@pytest.mark.docker
def test_a_port_of_a_container_is_told_by_the_containers_name(site: Site) -> None:
    if site.engine == "native" and ComposeEngine().obstacle():
        pytest.skip(f"no container can be started: {ComposeEngine().obstacle()}")
    port = site.plan.port(Service.PROMETHEUS, Purpose.UI).native
    image = site.plan.container(Service.JAEGER).program.reference
    name = f"behaviour-stranger-{os.getpid()}"
    docker = str(shutil.which("docker"))
    start = [docker, "run", "--detach", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:16686", image]
    subprocess.run(start, check=True, capture_output=True)
    try:
        done = site.run(*site.starting())
    finally:
        subprocess.run([docker, "rm", "--force", "--volumes", name], check=True, capture_output=True)
    assert done.returncode == 6, done.stderr
    assert f"port {port} (prometheus ui) is taken by container {name}" in done.stderr


@of_every_engine
def test_a_start_that_does_not_succeed_in_time_says_why_and_leaves_nothing(site: Site) -> None:
    done = site.run(*site.starting("--timeout", "0.1"))
    assert done.returncode == 4, done.stdout + done.stderr
    assert "is not ready after" in done.stderr
    assert site.left() == []


@of_the_real_stack
def test_a_program_that_refuses_its_configuration_is_named_with_its_own_words_and_nothing_is_left(
    site: Site,
) -> None:
    broken = [
        replace(artifact, text="route: nonsense\n")
        if artifact.path.endswith("alertmanager.yml")
        else artifact
        for artifact in render(site.plan)
    ]
    deployment = Deployment(site.home, site.engine, site.plan)
    with pytest.raises(EngineError, match=r"alertmanager (ends as soon|is not ready)") as caught:
        named(site.engine).up(deployment, broken, lambda _: None, 60.0)
    assert "nonsense" in str(caught.value)
    assert "otel-collector" not in str(caught.value)
    assert site.left() == []


@of_every_engine
def test_an_interrupt_at_any_moment_leaves_nothing(site: Site) -> None:
    begun = time.monotonic()
    site.up()
    lasts = time.monotonic() - begun
    site.down("--volumes")
    moments = [random.Random(seed).uniform(0.0, lasts) for seed in range(10)]  # noqa: S311 - no secrets
    for moment in moments:

        def wait(process: Begun, moment: float = moment) -> None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment)

        _interrupt(site, wait, f"after {moment:.2f} s")


@of_every_engine
def test_an_interrupt_when_it_says_that_it_is_up_leaves_nothing(site: Site) -> None:
    def says_so(process: Begun) -> None:
        assert process.stdout is not None
        assert any(line == f"{NAME} is up\n" for line in process.stdout)

    # It has little more to say: on a machine that pauses us it is perhaps over before we interrupt it.
    assert any(_interrupt(site, says_so, "at its end") for _ in range(10))


def _interrupt(site: Site, wait: Callable[[Begun], None], when: str) -> bool:
    """Interrupt an `up` after a wait, and look at what it leaves; False when it was over already."""
    process = subprocess.Popen(
        site.command(*site.starting()),
        env=site.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait(process)
    process.send_signal(signal.SIGINT)  # to one that has ended nothing is sent
    output, _ = process.communicate(timeout=240)
    if process.returncode == 0:
        site.down("--volumes")
    else:
        # The interpreter ends of one before it listens to signals, and with 1 before it is complete.
        ended = process.returncode in {130, -signal.SIGINT} or any(text in output for text in _INCOMPLETE)
        assert ended, f"interrupted {when}: exit {process.returncode}\n{output}"
    assert site.left() == [], f"interrupted {when}:\n{output}"
    return process.returncode != 0
