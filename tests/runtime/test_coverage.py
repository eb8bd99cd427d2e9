"""The example of bus and broker: what telemetry says is what it did, and all of it arrives."""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict

import pytest

from loom.contract import environment
from loom.contract.metrics import action_broker, event_bus
from loom.contract.metrics import telemetry as own
from loom.examples import broker_tour, bus_tour
from loom.examples.tally import Done
from loom.receiver import Recorder
from loom.telemetry.capture import Capture


@pytest.fixture(scope="module")
def toured() -> tuple[Capture, Done]:
    """Everything that the example does, captured."""
    captured, done = Capture(), Done()

    async def tour() -> None:
        await bus_tour.show(captured.telemetry, 100, done)
        await broker_tour.show(captured.telemetry, done, overflow=True)

    asyncio.run(tour())
    captured.telemetry.shutdown(60)
    return captured, done


def test_what_is_counted_is_what_was_done(toured: tuple[Capture, Done]) -> None:
    captured, done = toured
    assert done.published == 100
    assert captured.total(event_bus.PUBLISHED) == 100
    assert captured.total(event_bus.PUBLISH_LATENCY) == 100
    assert captured.total(event_bus.DELIVERED) == done.delivered
    dropped: defaultdict[str, float] = defaultdict(float)
    for (_, reason), value in captured.values(event_bus.DROPPED).items():
        dropped[reason] += value
    assert dropped == done.dropped
    calls: defaultdict[str, float] = defaultdict(float)
    for (_, status), value in captured.values(action_broker.INVOCATIONS).items():
        calls[status] += value
    assert calls == done.calls
    assert captured.total(action_broker.CACHE_HITS) == done.hits
    assert captured.total(action_broker.INVOKE_LATENCY) == done.executed
    assert captured.total(action_broker.ERRORS) == sum(calls.values()) - calls["ok"]
    assert captured.total(event_bus.ACTIVE_SUBSCRIPTIONS) == captured.total(event_bus.BACKLOG) == 0
    assert captured.total(action_broker.REGISTERED_CAPABILITIES) == 0
    assert captured.value(own.SPANS_EXPORTED) == len(captured.spans())


def run_example(receiver: Recorder, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loom.examples.bus_and_broker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, environment.ENDPOINT.name: receiver.endpoint, **environ},
    )


def test_the_example_says_what_it_did_and_everything_arrives(receiver: Recorder) -> None:
    done = run_example(receiver, "--events", "80")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "published 80 events" in lines
    assert "INFO telemetry: OpenTelemetry initialized successfully" in done.stderr
    summary = json.loads(lines[-1])
    assert summary["arrived"] is True
    assert summary["spans"]["created"] == summary["spans"]["exported"] == len(receiver.spans())
    assert summary["service"] == "loom-example"
    points = receiver.latest_metrics()[event_bus.PUBLISHED.name].sum.data_points
    assert sum(point.as_int for point in points) == 80


def test_the_example_says_how_many_traces_it_sampled(receiver: Recorder) -> None:
    done = run_example(receiver, "--events", "200", **{environment.SAMPLER.name: "traceidratio=0.1"})
    summary = json.loads(done.stdout.splitlines()[-1])
    assert 0 < summary["traces"] < 100
    assert f"sampled {summary['traces']} traces (10 % of new ones)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "message"),
    [
        (["--events", "5"], {}, 2, "at least"),
        ([], {environment.SAMPLER.name: "sometimes"}, 3, environment.SAMPLER.name),
    ],
)
def test_the_example_refuses_what_cannot_work(
    receiver: Recorder,
    arguments: list[str],
    environ: dict[str, str],
    code: int,
    message: str,
) -> None:
    done = run_example(receiver, *arguments, **environ)
    assert done.returncode == code
    assert message in done.stderr


def test_the_example_fails_when_nobody_receives_what_it_sends(receiver: Recorder) -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port: nobody listens
    done = run_example(receiver, **{environment.ENDPOINT.name: nowhere})
    summary = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert summary["arrived"] is False
    assert summary["spans"]["created"] == sum(summary["spans"]["lost"].values())
