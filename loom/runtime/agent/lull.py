"""The moment in which no agent has anything to do."""

import asyncio
from collections.abc import Callable


class Lull:
    """Any number of waiters for one moment; costs one look at `moment` while there are none."""

    __slots__ = ("_is_quiet", "_waiters", "moment")

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        """`is_quiet` says whether the moment is now."""
        self.moment: asyncio.Future[None] | None = None
        """What is waited for. While there is one, `notice` wants to be called after each event."""
        self._is_quiet = is_quiet
        self._waiters = 0

    def notice(self) -> None:
        """Something has ended: if that was the last, tell whoever waits."""
        if self.moment is not None and not self.moment.done() and self._is_quiet():
            self.moment.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Whether the moment came within so many seconds."""
        if self.moment is None or self.moment.done():
            self.moment = asyncio.get_running_loop().create_future()
        moment = self.moment
        self._waiters += 1
        self.notice()
        try:
            await asyncio.wait({moment}, timeout=seconds)
            return moment.done() or self._is_quiet()  # events may also have expired, which nobody notices
        finally:
            self._waiters -= 1
            if not self._waiters:
                self.moment = None
