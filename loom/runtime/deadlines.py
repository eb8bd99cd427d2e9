"""Deadlines of blocks that run in their callers' own tasks: one timer of the event loop for all of them.

`asyncio.timeout` makes a timer for each block, which costs more than a short call does.
"""

import asyncio
import logging
from contextlib import suppress
from heapq import heapify, heappop, heappush
from itertools import count

from loom.runtime.call import ErrorCode
from loom.runtime.crew import INSISTENCE

SPARE = 64
"""Blocks that ended and are still in line before they are swept out."""

_NEVER = float("inf")


class Deadline:
    """One block of a task. It is stopped by cancelling the task, which is taken back when the block ends."""

    __slots__ = ("_requests", "_stops", "stopped", "task")

    def __init__(self, task: "asyncio.Task[object]") -> None:
        """The task may have been cancelled before: only what comes from now on counts."""
        self.task: asyncio.Task[object] | None = task
        self.stopped: ErrorCode | None = None
        """Why it was stopped first: TIMEOUT or CLOSED."""
        self._requests = task.cancelling()
        self._stops = 0

    def stop(self, code: ErrorCode) -> None:
        """Cancel the block; nothing when it has ended."""
        if self.task is not None:
            self.stopped = self.stopped or code
            self._stops += 1
            self.task.cancel()

    def end(self) -> bool:
        """Take back what was cancelled from here; whether somebody else cancelled the task meanwhile."""
        task, self.task = self.task, None
        if task is None:
            return False
        requests = task.cancelling()
        if self._stops:  # or the empty range would be made each time
            for _ in range(self._stops):
                requests = task.uncancel()
        return requests > self._requests


class Deadlines:
    """The blocks that run now, in the order of their deadlines; belongs to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nothing runs."""
        self._loop = loop
        self._now = loop.time
        self._line: list[tuple[float, int, Deadline]] = []
        self._late: set[Deadline] = set()
        """Blocks that were stopped for their deadline and still clean up."""
        self._numbers = count()
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due = _NEVER
        """When the timer goes off: never after the first deadline."""
        self._idle: asyncio.Future[None] | None = None

    def begin(self, seconds: float) -> Deadline:
        """Stop the running task's block in `seconds`, unless it `end`s before."""
        task = asyncio.current_task(self._loop)
        assert task is not None  # noqa: S101 - only tasks await: the loop's callbacks cannot get here
        deadline = Deadline(task)
        due = self._now() + seconds
        heappush(self._line, (due, next(self._numbers), deadline))
        self._running += 1
        if due < self._due:
            self._arm(due)
        if len(self._line) > 2 * self._running + SPARE:
            self._sweep()
        return deadline

    def end(self, deadline: Deadline) -> bool:
        """The block is over; whether somebody else cancelled its task meanwhile."""
        self._running -= 1
        line = self._line
        if line and line[-1][2] is deadline:
            line.pop()  # the end of a heap can go without sorting
        if deadline.stopped is not None:
            self._late.discard(deadline)
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        return deadline.end()

    async def close(
        self, own: "asyncio.Task[object] | None", patience: float, logger: logging.Logger
    ) -> None:
        """Stop every block but those of one task, and wait until they have ended.

        What resists is stopped again after `patience` seconds; at last it is left behind and logged.
        """
        running = [*self._late, *(deadline for _, _, deadline in sorted(self._line))]
        waiting = [one for one in running if one.task not in {None, own}]
        try:
            for _ in range(INSISTENCE):
                for deadline in waiting:
                    deadline.stop(ErrorCode.CLOSED)
                waiting = await self._outlast(waiting, patience)
        finally:
            self._idle = None
            if self._timer is not None and not self._running:
                self._timer.cancel()
        if waiting:
            names = ", ".join(sorted({one.task.get_name() for one in waiting if one.task is not None}))
            logger.error("a provider that runs in %s resists being stopped and is left behind", names)

    async def _outlast(self, waiting: list[Deadline], patience: float) -> list[Deadline]:
        """Wait until these blocks have ended; those that have not after `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while any(deadline.task is not None for deadline in waiting):
                    self._idle = self._loop.create_future()
                    await self._idle
        return [deadline for deadline in waiting if deadline.task is not None]

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._stop_late)

    def _stop_late(self) -> None:
        """Stop what is late, the first deadline first; then wait for the next one."""
        self._timer, self._due = None, _NEVER
        line, now = self._line, self._now()
        while line and (line[0][0] <= now or line[0][2].task is None):
            deadline = heappop(line)[2]
            if deadline.task is not None:
                self._late.add(deadline)
                deadline.stop(ErrorCode.TIMEOUT)
        if line:
            self._arm(line[0][0])

    def _sweep(self) -> None:
        """Forget blocks that have ended."""
        self._line[:] = [entry for entry in self._line if entry[2].task is not None]
        heapify(self._line)
