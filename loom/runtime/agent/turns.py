"""Who may handle an event now: a semaphore that can be closed, and costs next to nothing while it is free."""

import asyncio
from collections import deque


class Turns:
    """So many turns while it is open, none while it is closed."""

    __slots__ = ("_idle", "_size", "_waiting", "free", "is_open")

    def __init__(self, size: int) -> None:
        """Closed at first."""
        self._size = size
        self.free = 0
        """Turns to be had. While this is positive take one by lowering it; otherwise `wait`."""
        self.is_open = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: asyncio.Future[None] | None = None

    @property
    def busy(self) -> int:
        """Turns that are taken."""
        return (self._size if self.is_open else 0) - self.free

    @property
    def waiting(self) -> int:
        """Who waits for a turn."""
        return sum(not each.done() for each in self._waiting)

    async def wait(self) -> None:
        """Wait for a turn; it is taken when this returns."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def give(self) -> None:
        """Give a turn back."""
        self.free += 1
        self._admit()
        if self._idle is not None and not self.busy and not self._idle.done():
            self._idle.set_result(None)

    def open(self) -> None:
        """Let events be handled."""
        if not self.is_open:
            self.is_open = True
            self.free += self._size
            self._admit()

    def close(self) -> None:
        """Let no further event be handled; those that are go on."""
        if self.is_open:
            self.is_open = False
            self.free -= self._size

    async def idle(self) -> None:
        """Wait until no turn is taken."""
        if self.busy:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle

    def _admit(self) -> None:
        while self.free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self.free -= 1
                turn.set_result(None)
