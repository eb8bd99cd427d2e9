"""The rows about bringing a stack up: from the command to the first metric and trace that the stores return.

Each engine brings up `dev` as it is rendered; as soon as that is done, a Loom program with an interpreter of
its own sends a few events through it. That is compared with the sum of what the same programs need by
themselves, as processes on the same configuration, one after the other: each service until it has done its
part (see `bench.programs`), and the Loom program from its start to its end, on a stack that is up.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench.outcome import ROOT
from bench.programs import Alone, start_alone
from bench.startup import COMMAND
from bench.table import Gate, Row
from loom.contract import environment
from loom.contract.metrics import event_bus as m
from loom.deploy import api
from loom.deploy.engine import Engine, Home, named
from loom.deploy.engine.processes import free
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.verify.client import connect
from loom.deploy.verify.jaeger import Jaeger
from loom.deploy.verify.prometheus import Prometheus, Window
from loom.errors import EngineError, LoomError

NAME = "bench"
ENGINES = ("native", "compose")
MOST = 2.0
SECONDS = 90.0
"""For a command, and for telemetry to arrive."""
_POLL = 0.05
_OFFSETS = range(13_000 + os.getpid() % 100, 15_900, 103)
_PROGRAM = (sys.executable, "-m", "loom.examples.load", "--rate", "100", "--seconds", "0.1")


@dataclass(frozen=True, slots=True)
class BringUp:
    """One time up, in seconds; all but the last since the command was given."""

    ready: float
    """Until the command ended."""
    trace: float
    """Until Jaeger returned a trace."""
    metric: float
    """Until Prometheus returned a sample."""
    program: float
    """From the Loom program's start to its end, a second time."""
    alone: Alone
    """What the services need by themselves."""

    @property
    def ratio(self) -> float:
        """Until both were proven, in start-ups of the programs."""
        return max(self.trace, self.metric) / (self.program + self.alone.ready + self.alone.scraped)


def rows(rounds: int) -> list[Row]:
    """One row an engine."""
    return [row(name, rounds) for name in ENGINES]


def row(name: str, rounds: int) -> Row:
    """Measure an engine; not run where it cannot work, void when it should have worked and did not."""
    gate = Gate(
        f"up to first metric and trace: {name}", "time / the programs' own start-ups, summed", most=MOST
    )
    try:
        engine = named(name)
        why = lacking(engine)
        if why:
            return Row(gate, [], skipped=why)
        times = [_measure(name) for _ in range(rounds)]
    except (LoomError, subprocess.TimeoutExpired) as error:
        return Row(gate, [], void=" ".join(str(error).split()))
    return Row(gate, [each.ratio for each in times], note=describe(times))


def describe(times: Sequence[BringUp]) -> str:
    """The medians, for people."""
    parts = {
        "ready": [each.ready for each in times],
        "trace": [each.trace for each in times],
        "metric": [each.metric for each in times],
        "alone: services ready": [each.alone.ready for each in times],
        "first scrape": [each.alone.scraped for each in times],
        "Loom program": [each.program for each in times],
    }
    return ", ".join(f"{name} {median(seconds):.1f} s" for name, seconds in parts.items())


def lacking(engine: Engine) -> str:
    """Why the engine cannot run `dev` here; empty when it can."""
    if obstacle := engine.obstacle():
        return obstacle
    absent = engine.absences(api.load_plan("dev"))
    return "; ".join(f"{service}: {why}" for service, why in absent.items() if engine.essential(service))


def _measure(engine: str) -> BringUp:
    with tempfile.TemporaryDirectory() as folder:
        environ = {**_clean(os.environ), "XDG_STATE_HOME": folder}
        quiet = "collector.diagnostics=false"
        sets = (f"ports.offset={find_offset('dev', quiet)}", quiet)
        plan, home = api.load_plan("dev", sets), Home.of(NAME, environ)
        with _up(engine, sets, environ) as began:
            ready = time.monotonic() - began
            loom = _report_to(plan, environ)
            trace, metric = _prove(plan, began, loom)
            again = time.monotonic()
            perform(_PROGRAM, loom)
            program = time.monotonic() - again
        return BringUp(ready, trace, metric, program, start_alone(plan, home))


@contextmanager
def _up(engine: str, sets: Sequence[str], environ: Mapping[str, str]) -> Iterator[float]:
    """A deployment, and when the command was given."""
    chosen = [part for text in sets for part in ("--set", text)]
    began = time.monotonic()
    try:
        perform([COMMAND, "up", "--profile", "dev", "--engine", engine, "--name", NAME, *chosen], environ)
        yield began
    finally:
        perform([COMMAND, "down", "--name", NAME, "--volumes"], environ)


def _report_to(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a Loom program that reports to the deployment."""
    endpoint = f"http://{plan.published(Service.COLLECTOR, Purpose.OTLP_GRPC)}"
    return {**environ, environment.ENDPOINT.name: endpoint, environment.SERVICE_NAME.name: NAME}


def _prove(plan: Plan, began: float, loom: Mapping[str, str]) -> tuple[float, float]:
    """Seconds since `began` until Jaeger returned a trace, and Prometheus a sample, whoever sent them."""
    since = time.time() - (time.monotonic() - began)
    program = subprocess.Popen(
        _PROGRAM, env=dict(loom), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with (
            connect(plan.reached(Service.PROMETHEUS, Purpose.UI)) as metrics,
            connect(plan.reached(Service.JAEGER, Purpose.UI)) as traces,
        ):
            prometheus, jaeger = Prometheus(metrics), Jaeger(traces)
            series = plan.naming.all_series(m.PUBLISHED)[0]
            return _await_both(
                lambda: any(jaeger.traces(name, _window(since), 1) for name in jaeger.services()),
                lambda: any(sample.value for sample in prometheus.samples(series, _window(since))),
                began,
            )
    finally:
        program.wait(SECONDS)


def _await_both(trace: Callable[[], bool], metric: Callable[[], bool], began: float) -> tuple[float, float]:
    seen = [0.0, 0.0]
    while not all(seen):
        now = time.monotonic() - began
        if now > SECONDS:
            message = f"no {'metric' if seen[0] else 'trace'} after {SECONDS:g} s"
            raise EngineError(message)
        for place, arrived in enumerate((trace, metric)):
            if not seen[place] and arrived():
                seen[place] = time.monotonic() - began
        time.sleep(_POLL)
    return seen[0], seen[1]


def _window(since: float) -> Window:
    return Window(since, time.time())


def find_offset(profile: str, *sets: str, beyond: int = 0) -> int:
    """The first one beyond another at which all ports of a profile are free; EngineError without."""
    for offset in _OFFSETS:
        plan = api.load_plan(profile, (*sets, f"ports.offset={offset}"))
        if offset > beyond and all(free(port.native) for port in plan.ports):
            return offset
    message = "no free ports"
    raise EngineError(message)


def perform(command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run a command; EngineError when it fails."""
    done = subprocess.run(
        command, env=dict(environ), cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        message = f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip()[-300:]}"
        raise EngineError(message)


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what tells a Loom program where to report."""
    return {name: value for name, value in environ.items() if not name.startswith("OTEL_")}
