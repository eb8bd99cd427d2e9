"""Evidence of a healthy deployment, through the fakes of both seams, and a real deployment to do harm to."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from loom.cli.doctor import command
from loom.contract import foreign, metrics
from loom.deploy import artifacts
from loom.deploy.credentials.access import access
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.keeping import initialise
from loom.deploy.credentials.vault import Vault, prepare, vault
from loom.deploy.doctor import (
    CHECKS,
    Answer,
    Diagnosis,
    Effects,
    Endpoint,
    Evidence,
    FakeMachine,
    FakeNetwork,
    Stack,
    diagnose,
    endpoints,
    gather,
)
from loom.deploy.doctor import questions as q
from loom.deploy.engine import Home
from loom.deploy.engine.processes import free
from loom.deploy.engine.supervisor import SOCKET, Supervisor
from loom.deploy.plan import derive
from loom.deploy.plan.identity import identities
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile import load
from loom.errors import FindingError
from tests.waiting import until

TELEMETRY = ("OTEL_", "DEPLOYMENT_ENV")
"""Variables of the test's own surroundings that must not reach a doctor."""


def _page(**more: float) -> str:
    """The collector's own metrics, after some telemetry."""
    series = {
        f'{foreign.ACCEPTED_SPANS.name}{{receiver="otlp",transport="grpc"}}': 300.0,
        f'{foreign.ACCEPTED_METRIC_POINTS.name}{{receiver="otlp",transport="grpc"}}': 60.0,
        f'{foreign.SENT_SPANS.name}{{exporter="otlp_grpc/jaeger"}}': 300.0,
        f'{foreign.SENT_METRIC_POINTS.name}{{exporter="prometheus"}}': 60.0,
        f'{foreign.QUEUE_SIZE.name}{{data_type="traces",exporter="otlp_grpc/jaeger"}}': 0.0,
        f'{foreign.QUEUE_CAPACITY.name}{{data_type="traces",exporter="otlp_grpc/jaeger"}}': 1000.0,
        f"{foreign.PROCESS_MEMORY.name}": 70e6,
        'target_info{service_version="0.161.0"}': 1.0,
    }
    return "".join(f"{name} {value}\n" for name, value in {**series, **more}.items())


def _answers(plan: Plan) -> dict[tuple[Endpoint, str], object]:
    names = [series.name for metric in metrics.ALL for series in plan.naming.all_series(metric)]
    target = {
        "scrapePool": "otel-collector",
        "scrapeUrl": "http://c/metrics",
        "health": "up",
        "lastError": "",
    }
    rule = {"name": "R", "query": f"rate({names[0]}[5m]) > 1", "health": "ok"}
    return {
        (Endpoint.COLLECTOR_HEALTH, "/"): {"status": "Server available"},
        (Endpoint.COLLECTOR_METRICS, q.METRICS): _page(),
        (Endpoint.COLLECTOR_EXPORTER, q.METRICS): "".join(f"{name} 1\n" for name in names),
        (Endpoint.JAEGER, q.JAEGER_SERVICES): {"data": ["loom-core"]},
        (Endpoint.JAEGER_METRICS, q.METRICS): 'target_info{service_version="v2.13.0"} 1\n',
        (Endpoint.PROMETHEUS, q.READY): "ready",
        (Endpoint.PROMETHEUS, q.BUILD): {"data": {"version": "3.16.0"}},
        (Endpoint.PROMETHEUS, q.TARGETS): {"data": {"activeTargets": [target]}},
        (Endpoint.PROMETHEUS, q.RULES): {"data": {"groups": [{"rules": [rule]}]}},
        (Endpoint.PROMETHEUS, q.NAMES): {"data": names},
        (Endpoint.PROMETHEUS, q.ALERTMANAGERS): {"data": {"activeAlertmanagers": [{"url": "http://a"}]}},
        (Endpoint.PROMETHEUS, q.METRICS): "",
        (Endpoint.ALERTMANAGER, q.READY): "OK",
        (Endpoint.ALERTMANAGER, q.ALERTMANAGER_STATUS): {"versionInfo": {"version": "0.34.2"}},
        (Endpoint.GRAFANA, q.GRAFANA_HEALTH): {"version": "13.2.3", "database": "ok"},
        (Endpoint.GRAFANA, q.GRAFANA_SOURCES): [{"uid": "prometheus"}, {"uid": "jaeger"}],
        (Endpoint.GRAFANA, q.GRAFANA_SEARCH): [],
    }


@cache
def _rendered() -> tuple[tuple[str, str], ...]:
    return tuple((file.path, file.text) for file in artifacts.render(derive(load("dev"))))


@dataclass
class Case:
    """A stack in memory; tests change what it answers, and ask what the doctor makes of it."""

    stack: Stack
    network: FakeNetwork = field(default_factory=FakeNetwork)
    machine: FakeMachine = field(default_factory=lambda: FakeMachine(clock=1_800_000_000.0))
    further: Callable[[Evidence], Evidence] = lambda evidence: evidence
    """What cannot be had through the seams: statuses of an engine."""

    def answer(self, endpoint: Endpoint, path: str, body: object, **more: Any) -> None:  # noqa: ANN401 - fields
        """Let a page say something else."""
        url = self.stack.endpoints[endpoint] + path
        text = body if isinstance(body, str) else json.dumps(body)
        self.network.pages[url] = replace(Answer(url, 200, text), **more)

    def silence(self, endpoint: Endpoint) -> None:
        """Let an endpoint refuse connections."""
        address = self.stack.endpoints[endpoint]
        self.network.pages = {u: a for u, a in self.network.pages.items() if not u.startswith(address + "/")}

    def collector(self, first: Mapping[str, float], second: Mapping[str, float] | None = None) -> None:
        """Change its counters; `second` at the second look, the same when there is none."""
        looks = iter([_page(**first), _page(**(first if second is None else second))])
        url = self.stack.endpoints[Endpoint.COLLECTOR_METRICS] + q.METRICS
        plain = self.network.get

        def get(asked: str) -> Answer:
            return Answer(url, 200, next(looks)) if asked == url else plain(asked)

        self.network.get = get  # type: ignore[assignment, method-assign]  # a page that changes from look to look

    def environ(self, **environ: str) -> None:
        """Let the environment say something."""
        self.stack = replace(self.stack, environ=environ)

    def diagnose(self) -> Diagnosis:
        """Gather and judge."""
        return diagnose(CHECKS, self.further(gather(self.stack, Effects(self.network, self.machine))))

    def first(self) -> str:
        """Name of the first cause; empty when nothing is broken."""
        found = self.diagnose().first
        return found.check.name if found else ""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """A healthy stack of the profile dev that somebody else has started by compose, and its files."""
    plan = derive(load("dev"))
    stack = Stack(endpoints(plan, None), plan, None, tmp_path)
    stack = replace(stack, endpoints={**stack.endpoints, Endpoint.JAEGER_METRICS: "http://127.0.0.1:8887"})
    made = Case(stack)
    for (endpoint, path), body in _answers(plan).items():
        made.answer(endpoint, path, body)
    made.machine.texts = dict(_rendered())
    boards = [json.loads(text)["uid"] for path, text in made.machine.texts.items() if path.endswith(".json")]
    made.answer(Endpoint.GRAFANA, q.GRAFANA_SEARCH, [{"uid": uid} for uid in boards])
    return made


@dataclass
class Patient:
    """A real deployment, native if nothing else is said, and how tests harm it."""

    state: Path
    offset: int
    profile: str = "dev"
    name: str = "patient"
    engine: str = "native"

    @property
    def home(self) -> Home:
        """Its folders."""
        return Home.of(self.name, {"XDG_STATE_HOME": str(self.state)})

    @property
    def sets(self) -> tuple[str, ...]:
        """Every metric is scraped at once; diagnostics have ports too high for every offset.

        What is scraped so often lives for a day or two only, and objectives over more are refused.
        """
        ports = (f"ports.offset={self.offset}", "collector.diagnostics=false")
        return (*ports, "metrics.scrape_interval=1s", "alerting.slo.window=1d")

    @property
    def plan(self) -> Plan:
        """Its ports."""
        return derive(load(self.profile, self.sets))

    @property
    def vault(self) -> Vault:
        """Its credentials."""
        return vault(self.home.rendered)

    def up(self) -> None:
        """Start it; a protected one with credentials of an authority that is a month old."""
        plan = self.plan
        if identities(plan):
            prepared = prepare(self.home.rendered)
            create(plan, prepared, Order(moment=datetime.now(UTC) - timedelta(days=30)))
            initialise(plan, prepared)
        chosen = [part for text in self.sets for part in ("--set", text)]
        self.run("up", "--profile", self.profile, "--engine", self.engine, "--name", self.name, *chosen)

    @property
    def supervisor(self) -> Supervisor:
        """What starts and stops its programs."""
        return Supervisor(self.home.short_run / SOCKET)

    def stop(self, service: Service) -> None:
        """Stop one, and wait for its end."""
        self.supervisor.stop(service.value)
        until(lambda: not self.supervisor.programs()[service.value].pid)

    def start(self, service: Service) -> None:
        """Start one."""
        self.supervisor.start(service.value)

    def fails(self, service: Service) -> bool:
        """Whether it does not come up."""
        return self.supervisor.programs()[service.value].state in {"BACKOFF", "FATAL"}

    def address(self, service: Service, purpose: Purpose) -> str:
        """A URL."""
        return self.plan.reached(service, purpose)

    def read(self, url: str) -> str:
        """One of its pages, asked as `operator`; empty when it does not answer well."""
        shown = access(self.plan, self.home.secrets)
        asked = urllib.request.Request(url, headers=shown.headers())  # noqa: S310 - an address of ours
        with suppress(OSError), urllib.request.urlopen(asked, timeout=5, context=shown.context()) as answer:  # noqa: S310 - as above
            return str(answer.read().decode())
        return ""

    def run(self, *arguments: str) -> None:
        """`loom-deploy …`, which must work."""
        self._python("loom.cli", *arguments, XDG_STATE_HOME=str(self.state))

    def example(self) -> None:
        """Send an example's telemetry through it."""
        self.run("run", "--name", self.name, "--", sys.executable, "-m", "loom.examples.bus_and_broker")

    def reload_prometheus(self) -> None:
        """Let it read its configuration anew."""
        os.kill(self.supervisor.programs()[Service.PROMETHEUS.value].pid, signal.SIGHUP)

    def restart(self, service: Service) -> None:
        """Stop it, and start it again; its files may have been changed."""
        self.stop(service)
        self.start(service)

    def doctor(self, *arguments: str, **environ: str) -> dict[str, Any]:
        """`loom-deploy doctor --json`, parsed; what it says and its exit agree."""
        gone: dict[str, str | None] = {name: None for name in os.environ if name.startswith(TELEMETRY)}
        surroundings = {**gone, "XDG_STATE_HOME": str(self.state), **environ}
        result = CliRunner().invoke(command, [*arguments, "--json"], env=surroundings)
        found: dict[str, Any] = json.loads(result.stdout)
        assert isinstance(result.exception, FindingError) is not found["healthy"], result.output
        return found

    def _python(self, module: str, *arguments: str, **environ: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(TELEMETRY)}
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**kept, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def hospital(state: Path, profile: str, engine: str = "native") -> Iterator[Patient]:
    """A deployment on ports that are free; it is down afterwards."""
    candidates = (
        Patient(state, offset, profile, engine=engine)
        for offset in range(11_000 + os.getpid() % 100, 15_900, 107)
    )
    patient = next(each for each in candidates if all(free(port.native) for port in each.plan.ports))
    try:
        patient.up()
        yield patient
    finally:
        patient.run("down", "--name", patient.name, "--volumes")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """One deployment for all faults."""
    with hospital(tmp_path_factory.mktemp("state"), "dev") as one:
        yield one


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """The same of production: certificates and passwords everywhere."""
    with hospital(tmp_path_factory.mktemp("guarded"), "prod") as one:
        yield one


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Patient]:
    """One on a machine without anything: the embedded receiver."""
    with hospital(tmp_path, "dev", "embedded") as one:
        yield one
