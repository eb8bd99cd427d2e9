"""Several collectors, several processes: which traces are kept, and that they are kept whole.

`LOOM_FIRE=long` sends more, holds longer, and kills a collector in the midst of it.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from typing import IO, Any

import pytest

from loom.contract import environment, foreign
from loom.contract.series import Series
from loom.contract.spans.agent import EXECUTE_ACTION, RUN
from loom.contract.spans.event_bus import PUBLISH
from loom.deploy.plan import sampling, topology
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.verify.jaeger import Jaeger
from loom.deploy.verify.prometheus import Window
from tests.fire.stack import LONG, Stack, hold, lasting
from tests.fire.table import Fault, Page
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(600)]

PROGRAMS = Path(__file__).parent / "programs"
TRACES = 40_000 if LONG else 10_000
RATIO = 0.1
WAIT = "30s" if LONG else "20s"
WHOLE = sorted(span.name for span in (PUBLISH, RUN, EXECUTE_ACTION))
REMARKABLE = {"error", "slow", "canary"}
MOST = 20_000
SECONDS = 400.0
OWN = (
    "environment=fire",  # nothing has waivers here
    "canary.enabled=false",  # each trace is one that was sent below
    "metrics.delivery=otlp",
    "collector.replicas=2",
    "collector.memory=512MiB",
)


@dataclass
class Pair:
    """Two processes, each trace begun by the one and finished by the other."""

    begin: "subprocess.Popen[str]"
    finish: "subprocess.Popen[str]"

    def result(self) -> dict[str, Any]:
        """What they say at their end; both must have delivered everything."""
        out, errors = self.finish.communicate(timeout=SECONDS)
        assert self.finish.returncode == 0, errors
        assert self.begin.wait(timeout=SECONDS) == 0
        found = dict(json.loads(out.splitlines()[-1]))
        assert found["arrived"], errors
        return found


@pytest.fixture
def pair() -> Iterator[Callable[..., Pair]]:
    """Starts a pair of senders; what has not ended is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(stack: Stack, program: str, entry: Service, stdin: IO[str] | int, *arguments: str) -> IO[str]:
        told = stack.told | {environment.ENDPOINT.name: stack.plan.reached(entry, Purpose.OTLP_GRPC)}
        told |= {environment.SERVICE_NAME.name: program}
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / f"{program}.py"), *arguments],
            env={name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | told,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=None if program == "begin" else subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        return process.stdout

    def send(stack: Stack, count: int, first: Service, second: Service) -> Pair:
        handed = start(stack, "begin", first, subprocess.DEVNULL, str(count))
        start(stack, "finish", second, handed)
        handed.close()  # the second has it
        return Pair(*started[-2:])

    yield send
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def total(stack: Stack, role: Service, series: Series, having: str = "") -> int:
    """The sum of a series over all collectors of a role, as they say themselves."""
    replicas = (one for one in topology.collectors(stack.plan.profile) if one.role is role)
    return round(sum(stack.own_metrics(one).total(series, having) for one in replicas))


def takes(stack: Stack, collector: Service) -> bool:
    """Whether it has taken spans."""
    return stack.own_metrics(collector).total(foreign.ACCEPTED_SPANS) > 0


def kept(stack: Stack, since: float) -> dict[str, list[str]]:
    """Trace id → names of its spans, of all traces that are stored."""
    window = Window(since, time.time())
    found = stack.traces(lambda jaeger: asked(jaeger, window))
    return {trace[0].trace_id: sorted(span.operation for span in trace) for trace in found}


def asked(jaeger: Jaeger, window: Window) -> list[Any]:
    found = jaeger.traces("finish", window, MOST)
    assert len(found) < MOST, "there may be more"
    return found


def test_every_kept_trace_is_whole_whichever_collectors_its_parts_came_through(
    stacks: Callable[..., Stack], pair: Callable[..., Pair], page: Page
) -> None:
    stack = stacks(
        "tiered",
        *OWN,
        "collector.topology=tiered",
        "collector.samplers=2",
        "tracing.sampler=always_on",
        f"tracing.tail.wait={WAIT}",
        "tracing.tail.slow=2s",
        f"tracing.tail.ratio={RATIO}",
    )
    stack.up()
    first, second = topology.fronts(stack.plan.profile)
    since = time.time()
    both = pair(stack, TRACES, first, second)
    if LONG:
        until(lambda: total(stack, Service.COLLECTOR, foreign.ACCEPTED_SPANS) > TRACES)
        stack.kill(second)
    sent = both.result()
    assert sent["spans"] == TRACES * len(WHOLE)
    until(lambda: total(stack, Service.SAMPLER, foreign.TRACES_DECIDED) >= TRACES, seconds=SECONDS)
    yes = total(stack, Service.SAMPLER, foreign.TRACES_DECIDED, 'decision="sampled"')
    found, kinds = dict[str, list[str]](), Counter(sent["kinds"].values())

    def torn() -> int:
        """Jaeger stores span by span: until all have come."""
        found.update(kept(stack, since))
        return yes - sum(names == WHOLE for names in found.values())

    until(lambda: torn() <= 0, lambda: f"{torn()} of {len(found)} traces are in parts")
    assert total(stack, Service.SAMPLER, foreign.TRACES_DECIDED) == TRACES, "a trace was decided twice"
    assert len(found) == yes
    assert set(found) <= set(sent["kinds"])
    for kind in REMARKABLE:
        lost = [trace for trace, own in sent["kinds"].items() if own == kind and trace not in found]
        assert kinds[kind] > TRACES // 50
        assert not lost, f"{len(lost)} of {kinds[kind]} traces of the kind {kind}"
    rest = sum(not sent["kinds"][trace] for trace in found)
    assert abs(rest - kinds[""] * RATIO) < 5 * sqrt(kinds[""] * RATIO * (1 - RATIO))
    for sampler in sampling.deciders(stack.plan.profile):
        share = stack.own_metrics(sampler).total(foreign.TRACES_DECIDED) / TRACES
        assert share > 0.2, f"{sampler} had next to nothing to decide"
    page.tell(
        Fault(
            "traces begun through one collector, finished through another; `topology: tiered`",
            round(time.time() - since),
            f"{sent['spans']} spans, {TRACES} traces",
            str(sent["spans"]),
            f"{len(found)} traces: {len(found) - rest} remarkable, {rest} of {kinds['']} others",
            "0",
            "each kept trace whole; all errors, slow runs and canaries kept, and the ratio of the rest",
        )
    )


def test_nothing_is_lost_when_each_collector_behind_the_balancer_is_killed(
    stacks: Callable[..., Stack], page: Page
) -> None:
    shape = ("collector.topology=gateway", "tracing.sampler=always_on", "workload.events_per_second=100")
    stack = stacks("gateway", *OWN, *shape)
    stack.up()
    seconds = lasting(2, 20)
    with stack.sending("fire-gateway") as sending:
        for victim in topology.fronts(stack.plan.profile):
            until(partial(takes, stack, victim))
            stack.kill(victim)
            hold(seconds)
            stack.wait()
            # Ready is not enough: for ten seconds the balancer leaves one alone that has failed, and only
            # what it hands to the new process shows that it does so no more.
            until(partial(takes, stack, victim))
        sent = sending.done()
        stored = stack.settled(sending, sent)
    assert sent.counted == 0, "an export failed for good"
    numbers = sent.numbers(len(stored))
    verdict = "every acknowledged span stored, no export failed: what one did not take the other took"
    page.tell(Fault("each collector `kill -9` in turn; `topology: gateway`", 2 * seconds, *numbers, verdict))
