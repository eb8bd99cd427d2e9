"""What the load says it did is what telemetry says."""

import json
import subprocess
from collections.abc import Callable

import pytest

from loom.contract import attributes as a
from loom.contract import environment
from loom.contract.metric import Metric
from loom.contract.metrics import action_broker, agent, event_bus
from loom.receiver import Recorder

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def total(receiver: Recorder, metric: Metric, **labels: str) -> int:
    """The sum over all series with these attributes."""
    points = receiver.latest_metrics()[metric.name].sum.data_points
    named = [({each.key: each.value.string_value for each in point.attributes}, point) for point in points]
    return sum(point.as_int for found, point in named if labels.items() <= found.items())


def test_published_delivered_dropped_and_failed_are_what_was_done(receiver: Recorder, run: Run) -> None:
    arguments = "--rate 2000 --seconds 0.5 --topics 4 --agents 8 --faults 0.1 --sampler traceidratio=0.1"
    done = run("load", *arguments.split(), **{environment.SAMPLER.name: "always_off"})
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["published"] == total(receiver, event_bus.PUBLISHED) == 1000
    # Every second of 100 faults is heard by nobody, everything else by two agents.
    assert summary["delivered"] == total(receiver, event_bus.DELIVERED) == 2 * 950
    assert summary["dropped"] == {"no_subscriber": 50}
    assert total(receiver, event_bus.DROPPED) == 50
    assert summary["handled"] == total(receiver, agent.EVENTS_PROCESSED, outcome="ok") == 1900
    assert summary["calls"] == {"ok": 1800, "error": 100}
    assert total(receiver, action_broker.INVOCATIONS, **{a.CALL_STATUS.name: "error"}) == 100
    assert summary["spans"]["exported"] == len(receiver.spans()) > 0
    assert summary["traces"] < 1000


@pytest.mark.parametrize("arguments", [["--faults", "2"], ["--topics", "0"], ["--seconds", "0"]])
def test_impossible_loads_are_refused(run: Run, arguments: list[str]) -> None:
    done = run("load", *arguments)
    assert done.returncode == 2
    assert "at least one event" in done.stderr


def test_a_malformed_sampler_is_refused(run: Run) -> None:
    done = run("load", "--sampler", "sometimes")
    assert done.returncode == 3
    assert environment.SAMPLER.name in done.stderr
