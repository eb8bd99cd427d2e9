"""Every tick comes out at the other end, in one trace."""

import json
import subprocess
from collections.abc import Callable

from loom.contract.spans import agent, event_bus
from loom.receiver import Recorder

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_every_tick_becomes_a_verdict_and_each_is_one_trace(receiver: Recorder, run: Run) -> None:
    done = run("pipeline", "--events", "40")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["shown"] == {"fine": 20, "alarm": 20}
    spans = receiver.spans()
    runs = [span for span in spans if span.name == agent.RUN.name]
    ticks = [span for span in spans if span.name == event_bus.PUBLISH.name and not span.parent_span_id]
    assert len(runs) == 3 * 40
    assert {span.trace_id for span in runs} == {span.trace_id for span in ticks}
    assert len(ticks) == 40


def test_a_pipeline_without_ticks_is_refused(run: Run) -> None:
    done = run("pipeline", "--events", "0")
    assert done.returncode == 2
