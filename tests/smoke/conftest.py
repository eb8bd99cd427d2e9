"""A deployment of the real programs, driven by the command line as a user drives it, on either engine.

Tests know `Stack` only, and of an engine nothing but its name. What engines do each in their own way is
behind `Engine`, in engines.py.
"""

import json
import os
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loom.contract import environment
from loom.contract.promql import Expression
from loom.deploy.engine import Home
from loom.deploy.engine.processes import free
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan, Purpose, Service
from loom.deploy.profile import load
from tests.smoke.engines import ENGINES, NOT_RUN, Done, Engine, Program, deploy

MOST = 5_000
"""Traces that Jaeger is asked for at once."""
_MICRO = 1_000_000


@dataclass
class Stack:
    """One deployment: a name, an offset, and where its state lies. Its methods are all that a test may do."""

    engine: Engine
    state: Path
    name: str
    offset: int

    @property
    def home(self) -> Home:
        """Its folders."""
        return Home.of(self.name, {"XDG_STATE_HOME": str(self.state)})

    @property
    def plan(self) -> Plan:
        """Its ports; every stack has the same."""
        return derive(load("dev", self._sets()))

    def run(self, *arguments: str, **environ: str) -> Done:
        """`loom-deploy …`, with what it printed."""
        return deploy(self.state, *arguments, **environ)

    def up(self, *sets: str) -> Done:
        """`loom-deploy up`, which must work."""
        chosen = [part for text in (*self._sets(), *sets) for part in ("--set", text)]
        done = self.run("up", "--profile", "dev", "--engine", self.engine.name, "--name", self.name, *chosen)
        assert done.returncode == 0, done.stderr  # a missing program says how it is installed
        return done

    def loom(self, service: str, source: str | Path, *arguments: str, **environ: str) -> dict[str, Any]:
        """Run a program that reports to this stack as `service`; the last line it prints, which is JSON.

        It must exit 0.
        """
        told = {
            environment.ENDPOINT.name: f"http://{self.address(Service.COLLECTOR, Purpose.OTLP_GRPC)}",
            environment.SERVICE_NAME.name: service,
            **environ,
        }
        done = self.engine.python(self.home, Program(source, arguments, told))
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def example(self, service: str, **environ: str) -> dict[str, Any]:
        """Run the example of bus and broker; what it says it did."""
        found = self.loom(service, "loom.examples.bus_and_broker", **environ)
        assert found["arrived"], found
        return found

    def address(self, service: Service, purpose: Purpose) -> str:
        """`host:port` under which a program that reports finds a service."""
        return self.plan.address(service, purpose, self.engine.site)

    def ask(self, query: Expression | str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """Ask Prometheus as curl does, for now or seconds since 1970; labels and value of each series."""
        return [(labels, float(values[-1])) for labels, values in self._query(str(query), "value", at)]

    def history(
        self, selector: Expression | str, within: str = "10m"
    ) -> list[tuple[dict[str, str], list[float]]]:
        """Labels of each series and what it was, one after the other, without repetition."""
        found = []
        for labels, points in self._query(f"{selector}[{within}]", "values"):
            values = [float(value) for _, value in points]
            changes = [new for old, new in zip([None, *values], values, strict=False) if new != old]
            found.append((labels, changes))
        return found

    def search(self, **parameters: str | int) -> list[dict[str, Any]]:
        """Traces that Jaeger finds with these parameters, the ones its page sends, as it answers them."""
        return list(self.get(Service.JAEGER, "/api/traces", **parameters)["data"])

    def stored(self, service: str, since: float) -> dict[str, int]:
        """Trace id → number of spans, of all of a service's traces; `since` is in seconds since 1970.

        Jaeger is asked for one second after the other, since one answer cannot hold any number of traces.
        """
        found: dict[str, int] = {}
        end = time.time() + 1
        while since < end:
            window = {"start": int(since * _MICRO), "end": int((since + 1) * _MICRO)}
            traces = self.search(service=service, limit=MOST, **window)
            assert len(traces) < MOST, "there may be more"
            found |= {trace["traceID"]: len(trace["spans"]) for trace in traces}
            since += 1
        return found

    def pids(self) -> dict[str, int]:
        """Service → pid, of all that the deployment runs."""
        return self.engine.pids(self.home)

    def get(self, service: Service, path: str, /, **parameters: str | float) -> Any:  # noqa: ANN401 - JSON
        """What a service's HTTP API answers."""
        address = self.plan.published(service, Purpose.UI)
        with urllib.request.urlopen(
            f"http://{address}{path}?{urllib.parse.urlencode(parameters)}", timeout=30
        ) as answer:
            return json.load(answer)

    def _query(self, query: str, key: str, at: float | None = None) -> list[tuple[dict[str, str], Any]]:
        when = {} if at is None else {"time": at}
        rows = self.get(Service.PROMETHEUS, "/api/v1/query", query=query, **when)["data"]["result"]
        return [(row["metric"], row[key]) for row in rows]

    def _sets(self) -> tuple[str, ...]:
        # Diagnostics have ports of their own, too high for every offset.
        return (f"ports.offset={self.offset}", "collector.diagnostics=false")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what no test could run: nothing is skipped in silence."""
    for service, why in terminalreporter.config.stash.get(NOT_RUN, {}).items():
        terminalreporter.write_line(f"not run: {service} ({why})")


@pytest.fixture(scope="module")
def stacks(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Callable[[str], Stack]]:
    """Makes stacks on free ports, below those that connections get; all are down afterwards."""
    engine = ENGINES[pytestconfig.getoption("--engine")]()
    state, made = tmp_path_factory.mktemp("state"), list[Stack]()
    offsets = iter(range(12_000 + os.getpid() % 100, 15_900, 103))

    def make(name: str) -> Stack:
        for offset in offsets:
            stack = Stack(engine, state, name, offset)
            if all(free(port.native) for port in stack.plan.ports):
                stack.run("down", "--name", name, "--volumes")  # what a killed run left would count too
                made.append(stack)
                return stack
        pytest.fail("no free ports")

    yield make
    for stack in made:
        stack.run("down", "--name", stack.name, "--volumes")


@pytest.fixture(scope="module")
def stack(stacks: Callable[[str], Stack]) -> Stack:
    """The one that most tests share, up with the defaults."""
    stack = stacks("dev")
    stack.up()
    return stack
