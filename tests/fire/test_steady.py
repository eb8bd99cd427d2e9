"""A steady rate: nothing grows, nothing waits, nobody complains."""

import re
from collections.abc import Sequence
from statistics import linear_regression

import pytest

from loom.contract import foreign
from loom.deploy.plan.model import Service
from tests.fire.stack import LONG, Stack, anonymous, hold, lasting
from tests.fire.table import Fault, Page
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(1200)]

BLOCKS = 10
"""Equal parts of the time. Of each the least counts, since garbage collectors let memory rise and fall."""
OF_SIZE, OF_LIMIT = 0.15, 0.03 if LONG else 0.06
"""Shares of a program's own size, and of the memory it may have, of which the larger is no growth.

Jaeger's store fills tables of 64 MiB in memory before it writes them out: of 4 GiB that is nothing, and in
the short form one or two of them may be all that is seen.
"""
QUEUED = 2_000
"""Spans and points that may wait at a time: some exports of the SDK."""
_COMPLAINT = re.compile(r"\berror\b|level=(error|warn)|\bpanic\b|Traceback", re.IGNORECASE)


def grown(sizes: Sequence[float]) -> float:
    """By how much a line through the least of each block rises over the whole time."""
    length = len(sizes) // BLOCKS
    floors = [min(sizes[start : start + length]) for start in range(0, BLOCKS * length, length)]
    slope, _ = linear_regression(range(BLOCKS), floors)
    return slope * BLOCKS


def flat(sizes: Sequence[float], limit: float) -> bool:
    """Whether a program's memory stays what it is; MiB."""
    return grown(sizes) <= max(OF_SIZE * sizes[0], OF_LIMIT * limit)


def test_a_leak_is_not_flat() -> None:
    assert flat([100.0 + number % 7 for number in range(80)], 256.0)
    assert not flat([100.0 + number % 7 + number / 4 for number in range(80)], 256.0)


def test_at_a_steady_rate_no_memory_grows_no_queue_fills_and_nothing_is_logged_as_wrong(
    stack: Stack, page: Page
) -> None:
    seconds = lasting(40, 600)
    until(lambda: stack.own_metrics().total(foreign.QUEUE_SIZE) == 0)
    programs = stack.processes()
    before = {name: len(stack.log(Service(name))) for name in programs}
    queued = list[float]()
    sizes: dict[str, list[float]] = {name: [] for name in programs}

    def look() -> None:
        queued.append(stack.own_metrics().total(foreign.QUEUE_SIZE))
        for name, process in programs.items():
            sizes[name].append(anonymous(process.pid))

    with stack.sending("fire-steady", rate=30.0) as sending:
        hold(lasting(5, 60))  # until each has what it needs
        hold(seconds, look, every=0.5)
        sent = sending.done()
        stored = stack.settled(sending, sent)
    assert sent.counted == 0
    assert sent.acknowledged == stored
    assert {name: process.pid for name, process in programs.items()} == {
        name: process.pid for name, process in stack.processes().items()
    }
    limits = {name: stack.plan.container(Service(name)).memory_mib for name in programs}
    rising = {name: found for name, found in sizes.items() if not flat(found, limits[name])}
    assert rising == {}
    assert max(queued) <= QUEUED
    wrong = [
        line
        for name, length in before.items()
        for line in stack.log(Service(name))[length:].splitlines()
        if _COMPLAINT.search(line)
    ]
    assert wrong == []
    verdict = "memory of every program flat, no queue growth, no line of error in any log"
    page.tell(Fault("none: a steady rate", seconds, *sent.numbers(len(stored)), verdict))
