"""The contests run, and what every contestant recorded is what happened."""

import json
import subprocess
import sys

import pytest

from bench import export
from bench.burst import BURST, WARM, Local, events, interleave
from bench.contest import BURSTS
from bench.outcome import ROOT, contest
from bench.recorder import Recorder
from loom.contract.metrics import event_bus as m
from loom.contract.spans import event_bus as spans
from loom.runtime import Event, EventBus


class Counting(Local):
    """Notes who was measured when."""

    def __init__(self, name: str, log: list[str]) -> None:
        """Note it there."""
        self._name, self._log = name, log

    async def burst(self) -> None:
        self._log.append(self._name)


@pytest.mark.anyio
async def test_contestants_take_turns_and_each_is_the_first_of_some_block() -> None:
    log: list[str] = []
    costs = await interleave({name: Counting(name, log) for name in "abc"}, blocks=6, bursts=1)
    assert {name: len(blocks) for name, blocks in costs.items()} == {"a": 6, "b": 6, "c": 6}
    turns = [log[start : start + 3] for start in range(0, len(log), 3)]
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert {turn[0] for turn in turns[WARM:]} == {"a", "b", "c"}
    assert len(log) * BURST == 3 * events(6, 1)


@pytest.mark.parametrize("name", BURSTS)
def test_every_contestant_runs_and_its_totals_are_what_happened(name: str) -> None:
    outcome = contest(name, 1, "")
    assert outcome.failed == ""
    assert dict(outcome.wrong) == {}
    assert all(cost > 0 for costs in outcome.costs.values() for cost in costs)


@pytest.mark.anyio
@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
async def test_a_recorder_tells_a_number_that_is_not_what_happened(ratio: float) -> None:
    recorder = Recorder(ratio)
    async with EventBus(recorder.telemetry) as bus:
        for _ in range(400):
            await bus.publish("a.b", Event("tick"))
    recorder.settle()
    assert recorder.audit({m.PUBLISHED: 400}, (spans.PUBLISH,), 400) == []
    assert recorder.audit({m.PUBLISHED: 401}, (spans.PUBLISH,), 400) != []
    assert bool(recorder.audit({m.PUBLISHED: 400}, (spans.PUBLISH,), 4000)) == (ratio > 0)
    assert bool(recorder.audit({}, (spans.PUBLISH, spans.SUBSCRIBE), 400)) == (ratio > 0)
    recorder.close()


def test_the_peer_s_process_imports_nothing_of_loom() -> None:
    source = (ROOT / "bench" / "peer.py").read_text()
    assert "loom." not in source
    assert "import loom" not in source


@pytest.mark.parametrize("processors", ["0", "1"])
def test_half_the_load_that_a_process_can_carry_loses_no_span(processors: str) -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-m", "bench.export", processors],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            timeout=240,
        )
        outcome = json.loads(done.stdout.splitlines()[-1])
        assert outcome["balance"] == outcome["created"]
        if outcome["punctual"] >= export.PUNCTUAL:  # else the machine was busy
            break
    assert outcome["share"] == 1.0
