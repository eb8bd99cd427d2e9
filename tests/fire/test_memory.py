"""More than a collector has memory for: it refuses, stays within its limit, and takes up again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loom.contract import foreign
from loom.deploy.plan.model import Service
from tests.fire.ground import confined
from tests.fire.stack import Stack, anonymous, hold, lasting
from tests.fire.table import Fault, Page
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(900)]

FLOOD = Path(__file__).parent / "programs" / "flood.py"
MEMORY = 320
"""MiB of the collector; its limiter refuses from 192 on. With less `plan` remarks that a flood may end it."""
SETS = (f"collector.memory={MEMORY}MiB", "collector.queue.size=200000", "canary.enabled=false")
"""The limiter looks once a second; a queue that is full before that refuses in its stead."""
SENDERS = 32
"""Of 2 MiB each: a fifth of its memory at every moment. What half as many send leaves garbage only, which Go
collects in time."""
MORE, MOST = 4, 64
"""Senders that join each second until it refuses: from a machine that sends slowly less arrives at once."""
FEW = 1000
"""Spans that wait for no reason but to be sent together."""
REFUSED = "UNAVAILABLE: data refused due to high memory usage"
"""What the limiter says; a sender of OTLP tries again."""


@contextmanager
def flooding(stack: Stack) -> Iterator["subprocess.Popen[str]"]:
    """A flood that grows with every line it is given, and ends with its input."""
    command, pipe = [sys.executable, str(FLOOD)], subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **stack.told}
    ) as flood:
        try:
            yield flood
        finally:
            flood.kill()


def overflow(stack: Stack, flood: "subprocess.Popen[str]", seconds: float, look: Callable[[], None]) -> float:
    """Let more and more flow until the limiter refuses, and go on for some seconds; what it took in all."""
    began, joining = time.monotonic(), iter([SENDERS, *[MORE] * ((MOST - SENDERS) // MORE)])

    def refuses() -> bool:
        assert flood.stdin
        flood.stdin.write("\n" * next(joining, 0))
        flood.stdin.flush()
        hold(1, look, every=0.02)
        return stack.own_metrics().total(foreign.LIMITER_REFUSED_SPANS) > 0

    until(refuses, f"{MOST} senders were not told to wait")
    hold(seconds, look, every=0.02)
    return time.monotonic() - began


def takes_all(stack: Stack) -> bool:
    """Whether its limiter refuses nothing for three seconds."""
    before = stack.own_metrics().total(foreign.LIMITER_REFUSED_SPANS)
    hold(3)
    return stack.own_metrics().total(foreign.LIMITER_REFUSED_SPANS) == before


def test_a_collector_under_more_than_it_can_hold_refuses_stays_within_its_limit_and_recovers(
    stacks: Callable[..., Stack], page: Page
) -> None:
    stack = stacks("fire-memory", *SETS)
    stack.up()
    limit = stack.plan.container(Service.COLLECTOR).memory_mib
    assert limit == MEMORY
    pid, peaks = stack.pid(Service.COLLECTOR), list[float]()
    with stack.sending("fire-memory", rate=40.0) as sending, confined(pid, limit):
        with flooding(stack) as flood:
            seconds = overflow(stack, flood, lasting(3, 60), lambda: peaks.append(anonymous(pid)))
            said = json.loads(flood.communicate("", timeout=PATIENCE)[0])
        until(lambda: stack.own_metrics().total(foreign.QUEUE_SIZE) < FEW, "the queue is empty", 480)
        until(lambda: takes_all(stack), "with nobody else it takes everything again")
        told_to_wait = stack.own_metrics().total(foreign.LIMITER_REFUSED_SPANS)
        sent = sending.done()
        stored = stack.settled(sending, sent)
    assert stack.pid(Service.COLLECTOR) == pid, "it was killed, or ended"
    assert max(peaks) < limit, f"{max(peaks):.0f} MiB of {limit}"
    assert said[REFUSED] > 0
    assert told_to_wait >= said[REFUSED]
    # The collector's own count against that of those who sent; Jaeger's holds each at least once.
    accepted = stack.own_metrics().total(foreign.ACCEPTED_SPANS)
    assert accepted == said["acknowledged"] + len(stored)
    assert stack.own_metrics(Service.JAEGER).total(foreign.ACCEPTED_SPANS) >= accepted
    flooded, again = said["acknowledged"], sum(said.values()) - said["acknowledged"]
    created, exported, arrived, lost = sent.numbers(len(stored))
    numbers = (
        f"{created}, and a flood of {flooded}",
        f"{exported}, and {flooded}",
        f"{arrived}, and {flooded}",
        f"{lost}; of the flood {again} were refused and sent again",
    )
    verdict = (
        "memory below its container's limit; senders told to wait; all acknowledged stored; full recovery"
    )
    page.tell(Fault("more than the collector's memory", round(seconds), *numbers, verdict))
