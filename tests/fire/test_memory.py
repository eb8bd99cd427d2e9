"""More than a collector has memory for: it refuses, stays within its limit, and takes up again."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.contract import foreign
from loom.deploy.artifacts.environment import settings
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.model import Service
from tests.fire.ground import confined
from tests.fire.stack import Stack, anonymous, hold, lasting
from tests.fire.table import Fault, Page
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(600)]

FLOOD = Path(__file__).parent / "programs" / "flood.py"
MEMORY = 160
"""MiB of the collector; its limiter refuses from 96 on."""
SETS = (f"collector.memory={MEMORY}MiB", "collector.queue.size=20000", "canary.enabled=false")
SENDERS = 16
"""So many hold more than it has room for, alive: half as many leave garbage, which Go collects in time."""
FEW = 1000
"""Spans that wait for no reason but to be sent together."""
REFUSED = "UNAVAILABLE: data refused due to high memory usage"
"""What the limiter says; a sender of OTLP tries again."""


def test_a_collector_under_more_than_it_can_hold_refuses_stays_within_its_limit_and_recovers(
    stacks: Callable[..., Stack], page: Page
) -> None:
    seconds = lasting(12, 60)
    stack = stacks("fire-memory", *SETS)
    stack.up()
    limit = stack.plan.container(Service.COLLECTOR).memory_mib
    assert limit == MEMORY
    pid, peaks = stack.pid(Service.COLLECTOR), list[float]()
    told = {one.name: value for one, value in settings(stack.plan, str(stack.home.secrets / LOOM))}
    with stack.sending("fire-memory", rate=40.0) as sending, confined(pid, limit):
        flood = subprocess.Popen(
            [sys.executable, str(FLOOD), "--senders", str(SENDERS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **told},
        )
        try:
            hold(seconds, lambda: peaks.append(anonymous(pid)), every=0.02)
            said = json.loads(flood.communicate("", timeout=120)[0])
        finally:
            flood.kill()
        until(lambda: stack.own_metrics().total(foreign.QUEUE_SIZE) < FEW)
        told_to_wait = stack.own_metrics().total(foreign.LIMITER_REFUSED_SPANS)
        hold(3)  # with nobody else, everything is taken again
        after = stack.own_metrics().total(foreign.LIMITER_REFUSED_SPANS)
        sent = sending.done()
        stored = stack.settled(sending, sent)
    assert stack.pid(Service.COLLECTOR) == pid, "it was killed, or ended"
    assert max(peaks) < limit
    assert said[REFUSED] > 0
    assert told_to_wait == after >= said[REFUSED]
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
    page.tell(Fault("more than the collector's memory", seconds, *numbers, verdict))
