"""The shape of every benchmark: a burst of events is published, then every one must have been handled."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from time import process_time
from typing import Protocol

BURST = 64
WARM = 3
"""Blocks before the measured ones: caches fill, the interpreter specialises its code."""


class Contestant(Protocol):
    """Something that handles events, ready to go."""

    async def measure(self, bursts: int) -> float:
        """Handle so many bursts; seconds of processor time an event, all threads together."""

    async def audit(self, events: int) -> list[str]:
        """After so many events: what was recorded differently from what was done."""


class Local(ABC):
    """A contestant of this process."""

    @abstractmethod
    async def burst(self) -> None:
        """Publish `BURST` events and wait until they were handled."""

    def settle(self) -> None:  # noqa: B027 - who records nothing has nothing to hand over
        """Hand over the spans that ended, as the exporter's thread would soon; part of the cost."""

    async def measure(self, bursts: int) -> float:
        """See `Contestant.measure`."""
        started = process_time()
        for _ in range(bursts):
            await self.burst()
        self.settle()
        return (process_time() - started) / bursts / BURST

    async def audit(self, events: int) -> list[str]:
        """See `Contestant.audit`."""
        del events
        return []


class Seen:
    """Counts what handlers saw, and says when it is everything."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.count = 0
        self.target = 0
        self._all = asyncio.Event()

    async def handler(self, _: object) -> None:
        """A subscriber's handler."""
        self.count += 1

    def check(self) -> None:
        """Called by a consumer behind each event."""
        if self.count == self.target:
            self._all.set()

    def expect(self, more: int) -> None:
        """So many more will come."""
        self.target += more
        self._all.clear()

    async def wait(self) -> None:
        """Until everything was seen."""
        async with asyncio.timeout(60):
            await self._all.wait()


async def interleave(
    contestants: Mapping[str, Contestant], blocks: int, bursts: int
) -> dict[str, list[float]]:
    """What each contestant measures, block by block.

    Everyone's block k is measured beside everyone else's block k, so that their ratio says little about what
    else the machine did meanwhile. Each block another contestant begins: whoever comes behind one that leaves
    much garbage is not always the same.
    """
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for block in range(-WARM, blocks):
        first = block % len(names)
        for name in names[first:] + names[:first]:
            cost = await contestants[name].measure(bursts)
            if block >= 0:
                costs[name].append(cost)
    return costs


def events(blocks: int, bursts: int) -> int:
    """How many events each contestant handles in all."""
    return (blocks + WARM) * bursts * BURST
