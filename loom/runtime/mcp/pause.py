"""Waiting that somebody may cut short; the one clock of the manager, passed in so that tests own the time."""

import asyncio
from typing import Protocol


class Pause(Protocol):
    """Waits for an event."""

    async def __call__(self, event: asyncio.Event, seconds: float, /) -> bool:
        """Wait until the event is set, at most so many seconds; whether it is set."""


async def pause(event: asyncio.Event, seconds: float) -> bool:
    """Wait by the event loop's clock."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    return event.is_set()


class ManualTime:
    """A clock for tests: time passes when `advance` is called, and not otherwise."""

    def __init__(self) -> None:
        """It is 0 seconds."""
        self.now = 0.0
        self.asked: list[float] = []
        """Every pause that was asked for, in seconds."""
        self._waiting: dict[asyncio.Timeout, float] = {}
        self._news = asyncio.Event()

    async def pause(self, event: asyncio.Event, seconds: float) -> bool:
        """A `Pause`: over when the event is set, or when time has advanced far enough."""
        self.asked.append(seconds)
        self._news.set()
        timeout = asyncio.timeout(None)
        try:
            async with timeout:
                self._waiting[timeout] = self.now + seconds
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(timeout, None)
        return event.is_set()

    async def until(self, pauses: int) -> None:
        """Return once so many pauses have been asked for."""
        while len(self.asked) < pauses:
            self._news.clear()
            await self._news.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake who waited for that."""
        self.now += seconds
        for timeout, due in list(self._waiting.items()):
            if due <= self.now and not timeout.expired():
                timeout.reschedule(asyncio.get_running_loop().time())
