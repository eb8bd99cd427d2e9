"""The real collector with our policies, between Loom and a recorder in Jaeger's place: what it keeps."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loom.contract import attributes as a
from loom.contract import canary, foreign
from loom.contract.environment import ENVIRONMENT
from loom.contract.spans.agent import EXECUTE_ACTION, RUN
from loom.deploy import programs
from loom.deploy.artifacts import collector
from loom.deploy.artifacts.place import below
from loom.deploy.artifacts.supervisor import DATA
from loom.deploy.engine.processes import free
from loom.deploy.engine.readiness import ask as answers
from loom.deploy.engine.readiness import questions
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.toolchain import require
from loom.deploy.verify.client import connect
from loom.receiver import Recorder
from loom.telemetry import setup
from loom.telemetry.settings import Settings
from loom.telemetry.telemetry import Telemetry
from tests.waiting import until

MILLISECOND = 1_000_000
SECONDS = 30.0
TAIL = {
    "wait": "2s",
    "slow": "1s",
    "rare": [{"agents": ["auditor"]}, {"agents": ["never"], "ratio": 0.0}],
    "ratio": 0.0,
}


@pytest.fixture(scope="module")
def plan(shaped: Callable[..., Plan]) -> Plan:
    """One collector that decides, on free ports."""
    for offset in range(15_000 + os.getpid() % 1000, 27_000, 1_009):
        found = shaped("single", tracing={"tail": TAIL}, ports={"offset": offset})
        if all(free(port.native) for port in found.ports if port.service is Service.COLLECTOR):
            return found
    pytest.fail("no free ports")


@pytest.fixture
def telemetry(plan: Plan, receiver: Recorder, tmp_path: Path) -> Iterator[Telemetry]:
    """Loom's telemetry, sending to the collector, which sends to the recorder what it keeps."""
    path = below(Site.NATIVE, collector.NAME)
    (text,) = (one.text for one in collector.artifacts(plan) if one.path == path)
    jaeger = plan.address(Service.JAEGER, Purpose.OTLP_GRPC, Site.NATIVE)
    (tmp_path / collector.NAME).write_text(text.replace(jaeger, receiver.endpoint.removeprefix("http://")))
    program = require(programs.OTELCOL)[programs.OTELCOL.name]
    process = subprocess.Popen(
        [program, "--config", str(tmp_path / collector.NAME)],
        env={**os.environ, ENVIRONMENT.name: "test", DATA: str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    (health,) = questions(plan, Service.COLLECTOR)
    try:
        until(lambda: not answers(health))
        telemetry = setup(Settings(plan.reached(Service.COLLECTOR, Purpose.OTLP_GRPC), "http://127.0.0.1:1"))
        yield telemetry
        telemetry.shutdown(0.1)
    finally:
        process.terminate()
        process.wait(SECONDS)


def trace(telemetry: Telemetry, run: int = 1, action: int = 1, agent: str = "worker", mark: str = "") -> str:
    """A run and an action, of so many milliseconds each; the trace id. `mark`: `broken` or `canary`."""
    above = telemetry.tracing.root(RUN, {a.AGENT_TYPE.name: agent})
    assert above
    own = {canary.CANARY.name: True} if mark == "canary" else {}
    under = telemetry.tracing.start(
        EXECUTE_ACTION, own, telemetry.tracing.below(above, telemetry.tracing.unsampled)
    )
    assert under
    if mark == "broken":
        under.fail("Broken")
    under.end(under.start_time + action * MILLISECOND)
    above.end(above.start_time + run * MILLISECOND)
    return f"{above.context.trace_id:032x}"


@pytest.mark.smoke
def test_errors_slow_runs_rare_agents_and_the_canary_are_kept_and_nothing_else(
    plan: Plan, telemetry: Telemetry, receiver: Recorder
) -> None:
    kept = {
        trace(telemetry, mark="broken"): "an error below the run",
        trace(telemetry, run=1000): "a run of just the threshold",
        trace(telemetry, agent="auditor"): "a rare agent",
        trace(telemetry, mark="canary"): "the canary",
    }
    dropped = {
        trace(telemetry): "nothing remarkable",
        trace(telemetry, run=999): "a run a little faster",
        trace(telemetry, action=5000): "something slow that is no run",
        trace(telemetry, agent="never"): "a rare agent of whom no share is wanted",
    }
    assert telemetry.flush(SECONDS) is not None  # metrics have nowhere to go
    until(lambda: decided(plan) >= len(kept) + len(dropped))
    until(lambda: len(receiver.spans()) >= 2 * len(kept))
    seen = [span.trace_id.hex() for span in receiver.spans()]
    assert {kept.get(one, dropped.get(one)) for one in seen} == set(kept.values())
    assert all(seen.count(one) == 2 for one in kept)


def decided(plan: Plan) -> float:
    """Traces that the collector has decided on, as it says itself."""
    with connect(plan.reached(Service.COLLECTOR, Purpose.TELEMETRY)) as client:
        lines = client.get("/metrics").text.splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(f"{foreign.TRACES_DECIDED.name}{{")
    )
