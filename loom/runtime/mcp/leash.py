"""A deadline that others can pull: how the owner task of a connection is told to let go."""

import asyncio
from types import TracebackType
from typing import Self


class Leash:
    """`async with Leash(seconds)`: the block is left when the time is over or when somebody pulls.

    Unlike cancelling the task, neither does anything once the block winds up (`let_go`): cleaning up is never
    interrupted. The block then ends without an exception of its own; `expired` and `pulled` say why.
    """

    def __init__(self, seconds: float) -> None:
        """The time begins when the block is entered, and is lifted by `loosen`."""
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._held = False
        self.pulled = False

    @property
    def expired(self) -> bool:
        """Whether the block was interrupted because its time was over."""
        return self._timeout.expired() and not self.pulled

    def pull(self) -> None:
        """Interrupt the block now, unless it is winding up."""
        if self._held and not self._timeout.expired():
            self.pulled = True
            self._timeout.reschedule(asyncio.get_running_loop().time())

    def loosen(self) -> None:
        """Hold without a deadline from now on."""
        if self._held and not self.pulled and not self._timeout.expired():
            self._timeout.reschedule(None)

    def let_go(self) -> None:
        """The block winds up: do not interrupt it any more."""
        if self._held and not self._timeout.expired():
            self._timeout.reschedule(None)
        self._held = False

    async def __aenter__(self) -> Self:
        """Hold the current task."""
        await self._timeout.__aenter__()
        self._held = True
        self._timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool:
        """Swallow the interruption, and nothing else."""
        self.let_go()
        try:
            await self._timeout.__aexit__(exc_type, exc_val, exc_tb)
        except TimeoutError:
            return True
        return False
