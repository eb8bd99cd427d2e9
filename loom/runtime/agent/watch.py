"""Deadlines for one thing after another, without a timer for each of them."""

import asyncio
from types import TracebackType
from typing import Self


class Watch:
    """Cancels its task when what the task does takes too long.

    One timer outlives many events: when it goes off early it is set to the deadline that holds by then. What
    swallows the cancellation is cancelled again after as long.
    """

    __slots__ = ("_before", "_cancelled", "_due", "_loop", "_seconds", "_task", "_timer")

    def __init__(self) -> None:
        """Watch the current task; nothing is due."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - made inside the task it watches
        self._task = task
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._seconds = 0.0
        self._cancelled = 0
        self._before = 0

    def limit(self, seconds: float) -> Self:
        """Around a `with` block that may take so many seconds: TimeoutError when it takes longer.

        Blocks follow one another; they are not nested.
        """
        self._seconds = seconds
        self._before = self._task.cancelling()
        self._due = due = self._loop.time() + seconds
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(due, self._check)
        elif timer.when() > due:
            timer.cancel()
            self._timer = self._loop.call_at(due, self._check)
        return self

    def __enter__(self) -> None:
        """Nothing more: `limit` began."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """The block is done; TimeoutError when it was too late and nobody else cancelled the task."""
        self._due = 0.0
        if not self._cancelled:
            return
        left = self._task.cancelling()
        for _ in range(self._cancelled):
            left = self._task.uncancel()
        self._cancelled = 0
        if left <= self._before and (exc_type is None or issubclass(exc_type, asyncio.CancelledError)):
            message = f"took longer than {self._seconds} s"
            raise TimeoutError(message) from exc_val

    def close(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if not self._due:
            return
        now = self._loop.time()
        # The loop runs a timer up to its clock's resolution early: that counts as due.
        if self._due <= now + 1e-3:
            self._cancelled += 1
            self._task.cancel()
            self._due = now + self._seconds
        self._timer = self._loop.call_at(self._due, self._check)
