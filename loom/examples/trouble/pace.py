"""How faults keep time, and how they learn that they are to end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from loom.runtime.loom import Loom

Trouble = Callable[["Scene"], Coroutine[Any, Any, None]]
"""Makes a fault until it is mended, and goes on in health until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault is made."""

    loom: Loom
    mended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def broken(self) -> bool:
        """Whether the fault is still wanted."""
        return not self.mended.is_set()

    async def beats(self, rate: float) -> AsyncIterator[int]:
        """Numbers from 0, `rate` of them a second, for as long as the program runs."""
        loop, number = asyncio.get_running_loop(), 0
        started = loop.time()
        while True:
            yield number
            number += 1
            await asyncio.sleep(max(0.0, started + number / rate - loop.time()))

    async def broken_beats(self, rate: float) -> AsyncIterator[int]:
        """The same, until the fault is mended."""
        async for number in self.beats(rate):
            if not self.broken:
                return
            yield number
