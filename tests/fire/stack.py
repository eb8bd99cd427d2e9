"""A prod deployment of the real programs, with credentials, driven by the command line as operators do it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from loom.contract import environment
from loom.contract.series import Series
from loom.deploy import api
from loom.deploy.artifacts.environment import settings
from loom.deploy.credentials.access import Access, access
from loom.deploy.engine import Deployment, Home, load
from loom.deploy.engine.processes import end, own
from loom.deploy.engine.supervisor import SOCKET, Supervisor
from loom.deploy.plan import derive
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile import load as load_profile
from loom.deploy.verify.client import connect, get
from loom.deploy.verify.jaeger import _AHEAD as AHEAD
from loom.deploy.verify.jaeger import Jaeger
from loom.deploy.verify.prometheus import Window
from tests.waiting import until

LONG = os.environ.get("LOOM_FIRE") == "long"
"""Whether faults last as long as the issue says; otherwise as long as they need to show."""
_MOST = 5_000
"""Traces that Jaeger is asked for at once."""
_SECONDS = 240.0
"""For one command to end, or a condition to come true."""
SENDER = Path(__file__).parent / "programs" / "sender.py"


def lasting(short: float, long: float) -> float:
    """Seconds of a fault, in the form that is wanted."""
    return long if LONG else short


def hold(seconds: float, look: Callable[[], object] = lambda: None, every: float = 0.2) -> None:
    """Let a fault last, and look at something all the while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        look()
        time.sleep(every)


def anonymous(pid: int) -> float:
    """MiB of a process' memory that the system cannot take back: all but what lies in files too."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1]) / 1024


@dataclass(frozen=True)
class Sent:
    """What a sender wrote down."""

    created: int
    exported: int
    lost: Mapping[str, int]
    acknowledged: frozenset[str]
    """Span ids."""
    refused: frozenset[str]
    points: tuple[tuple[int, float], ...]
    """Acknowledged points of one counter: milliseconds since 1970 and value."""
    unsent: tuple[tuple[int, float], ...]
    """Those that were not acknowledged."""

    @property
    def counted(self) -> int:
        """Spans that the runtime itself counts as lost."""
        return sum(self.lost.values())

    def numbers(self, arrived: int | str) -> tuple[str, str, str, str]:
        """Sent, acknowledged, arrived and counted as lost, as the page has them."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.lost.items() if count)
        return f"{self.created} spans", str(self.exported), str(arrived), reasons or "0"


@dataclass
class Sending:
    """A sender at work; `done` ends it."""

    service: str
    process: "subprocess.Popen[str]"
    record: Path
    since: float
    lasted: float = 0.0
    """Seconds, once it is done."""

    def done(self) -> Sent:
        """Let it send what it has, and end; it must end well."""
        said, _ = self.process.communicate("", timeout=_SECONDS)
        self.lasted = time.time() - self.since
        assert self.process.returncode == 0, said
        found = json.loads(self.record.read_text())
        spans, points = found["spans"], found["points"]
        acknowledged, refused = frozenset(spans["acknowledged"]), frozenset(spans["refused"])
        # The runtime's own numbers, against the ids that were seen to pass by.
        assert found["created"] == found["exported"] + sum(found["lost"].values()), found["lost"]
        assert found["exported"] == len(acknowledged) == len(spans["acknowledged"])
        return Sent(
            found["created"],
            found["exported"],
            found["lost"],
            acknowledged,
            refused,
            tuple((at, value) for at, value in points["acknowledged"]),
            tuple((at, value) for at, value in points["refused"]),
        )


@dataclass
class Stack:
    """One deployment: its name, its folder, and what was set."""

    state: Path
    name: str
    sets: tuple[str, ...]
    profile: str = "prod"
    """Name, or path of a file."""

    @property
    def home(self) -> Home:
        """Its folders."""
        return Home.of(self.name, {"XDG_STATE_HOME": str(self.state)})

    @property
    def plan(self) -> Plan:
        """All that follows from its profile."""
        return derive(load_profile(self.profile, self.sets))

    @property
    def deployment(self) -> Deployment:
        """As it was recorded."""
        found = load(self.home)
        assert found is not None
        return found

    @property
    def access(self) -> Access:
        """What we show it."""
        return access(self.plan, self.home.secrets)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`loom-deploy …`, with what it printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        return subprocess.run(
            [sys.executable, "-m", "loom.cli", *arguments],
            env={**kept, "XDG_STATE_HOME": str(self.state)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def must(self, *arguments: str) -> str:
        """The same, which must work."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr  # a missing program says how it is installed
        return done.stdout

    @property
    def which(self) -> tuple[str, ...]:
        """The options that name it to commands that plan it."""
        chosen = [part for text in self.sets for part in ("--set", text)]
        return "--profile", self.profile, "--name", self.name, *chosen

    def up(self) -> None:
        """Credentials, then everything, ready."""
        self.must("certs", "create", *self.which)
        self.must("secrets", "init", *self.which)
        self.must("up", *self.which, "--engine", "native")

    def down(self) -> None:
        """Nothing of it stays; nobody waits until everything has been written down."""
        end(self.owned(), grace=0)
        self.run("down", "--name", self.name, "--volumes")

    # What runs.

    @property
    def supervisor(self) -> Supervisor:
        """What starts and stops the programs."""
        return Supervisor(self.home.short_run / SOCKET)

    def pid(self, service: Service) -> int:
        """Of a program; 0 while it does not run."""
        return self.supervisor.programs()[service].pid

    def kill(self, service: Service) -> None:
        """`kill -9`, as the kernel does it when memory is short; supervisord starts it again."""
        pid = until(lambda: self.pid(service), f"{service} runs")  # 0 would be our own group
        os.kill(pid, signal.SIGKILL)

    def kill_and_keep_away(self, service: Service) -> None:
        """The same, and it stays away until `start`."""
        self.kill(service)
        until(lambda: self._stopped(service))

    def _stopped(self, service: Service) -> bool:
        """Told again with each look: one that has exited cannot be stopped, and is started by itself."""
        self.supervisor.stop(str(service))
        return self.supervisor.programs()[service].state == "STOPPED"

    def start(self, service: Service) -> None:
        """Start it again, and wait until everything is ready."""
        self.supervisor.start(str(service))
        self.wait()

    def wait(self) -> None:
        """Until everything is ready, however often it was killed before; `status` tells that for a while."""
        until(lambda: all(status.ready for status in api.status(self.deployment)))

    def processes(self) -> dict[str, psutil.Process]:
        """Service → its process."""
        found = {name: info.pid for name, info in self.supervisor.programs().items()}
        return {name: psutil.Process(pid) for name, pid in found.items() if pid}

    def owned(self) -> list[psutil.Process]:
        """Every process of the deployment, the supervisor among them."""
        return own(self.home)

    def log(self, service: Service) -> str:
        """All it has written."""
        return (self.home.run / f"{service}.log").read_text(errors="replace")

    def configuration(self, service: Service = Service.COLLECTOR) -> dict[str, Any]:
        """What a running program was started with, by its command line."""
        command = psutil.Process(self.pid(service)).cmdline()
        return dict(yaml.safe_load(Path(command[command.index("--config") + 1]).read_text()))

    # What is sent.

    @property
    def told(self) -> dict[str, str]:
        """Variables that tell a program where to report, and as whom."""
        return {one.name: value for one, value in settings(self.plan, str(self.home.secrets / LOOM))}

    @contextmanager
    def sending(self, service: str, rate: float = 100.0, **variables: str) -> Iterator[Sending]:
        """A sender that reports as `service`, from the first span that has arrived on."""
        told = {environment.SERVICE_NAME.name: service, environment.SAMPLER.name: "always_on", **variables}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        record, since = self.home.run / f"{service}.json", time.time()
        process = subprocess.Popen(
            [sys.executable, str(SENDER), str(record), "--rate", str(rate)],
            env={**kept, **self.told, **told},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until(lambda: process.poll() is not None or service in self.traces(Jaeger.services))
            assert process.poll() is None, process.communicate()[0]
            yield Sending(service, process, record, since)
        finally:
            process.kill()
            process.communicate()

    # What arrived.

    def traces(self, ask: Callable[[Jaeger], Any]) -> Any:  # noqa: ANN401 - whatever is asked for
        """What Jaeger answers."""
        with connect(self.plan.reached(self.plan.traces, Purpose.UI), self.access) as client:
            return ask(Jaeger(client))

    def stored(self, service: str, since: float) -> set[str]:
        """Ids of all spans of a service; Jaeger is asked for one second after the other."""
        return self.traces(lambda jaeger: _stored(jaeger, service, since))  # type: ignore[no-any-return] # as just said

    def settled(self, sending: Sending, sent: Sent) -> set[str]:
        """Ids of what is stored, once all that was acknowledged is; nobody else's may be among them."""
        until(lambda: sent.acknowledged <= self.stored(sending.service, sending.since))
        stored = self.stored(sending.service, sending.since)
        assert stored <= sent.acknowledged | sent.refused
        return stored

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus answers to an instant query."""
        with connect(self.plan.reached(Service.PROMETHEUS, Purpose.UI), self.access) as client:
            return list(get(client, "/api/v1/query", {"query": expression})["data"]["result"])

    def own_metrics(self, service: Service = Service.COLLECTOR) -> "Exposition":
        """What a program of the pipeline says of itself right now."""
        with connect(self.plan.reached(service, Purpose.TELEMETRY)) as client:
            return Exposition(client.get("/metrics").text)


def _stored(jaeger: Jaeger, service: str, since: float) -> set[str]:
    found: set[str] = set()
    begin, end = int(since) - 1, time.time() + 1
    while begin < end:
        # A look has a minute of lead for other machines' clocks: it must not have it here.
        traces = jaeger.traces(service, Window(begin, begin + 1 - AHEAD), _MOST)
        assert len(traces) < _MOST, "there may be more"
        found |= {span.span_id for trace in traces for span in trace}
        begin += 1
    return found


@dataclass(frozen=True)
class Exposition:
    """Prometheus' text format."""

    text: str

    def total(self, series: Series, having: str = "") -> float:
        """The sum over all series of a name, or those whose labels have a text in them."""
        rows = (line.rpartition(" ") for line in self.text.splitlines() if not line.startswith("#"))
        return sum(
            float(value)
            for name, _, value in rows
            if name.partition("{")[0] == series.name and having in name
        )
