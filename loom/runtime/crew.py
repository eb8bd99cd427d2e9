"""Tasks that somebody runs for others, and that may not want to end: handlers of agents, providers."""

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any, Self

INSISTENCE = 3
"""How often a task that must end is cancelled before it is left behind."""

Task = asyncio.Task[None]


class Crew:
    """Tasks as in a TaskGroup, except that one that does not let itself be stopped is left behind.

    A TaskGroup waits for each of its tasks for ever, so that one handler that swallows its cancellation could
    keep whoever started it from ending. A task that fails has the body cancelled, and its error raised at
    the end, as a TaskGroup has: one stands in it for all of them.
    """

    def __init__(self, logger: logging.Logger) -> None:
        """Enter it before the first task; the logger is told what is left behind."""
        self._logger = logger
        self._tasks: set[Task] = set()
        self._abandoned: set[Task] = set()
        self._group: asyncio.TaskGroup
        self._failure: asyncio.Future[None]
        self._patience = 0.0

    def start(self, coroutine: Coroutine[Any, Any, None], name: str, patience: float) -> Task:
        """Run a task of somebody's `name`, who takes at most `patience` seconds to stop."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        self._patience = max(self._patience, patience)
        task.add_done_callback(self._end)
        return task

    async def stop(self, tasks: Collection[Task], patience: float) -> None:
        """Wait until tasks that were cancelled have ended; what resists is cancelled again, then left behind.

        `patience` in seconds, each time. A task that calls this does not wait for itself.
        """
        current = asyncio.current_task()
        pending = {task for task in tasks if not task.done() and task is not current}
        for _ in range(INSISTENCE):
            if not pending:
                return
            _, pending = await asyncio.wait(pending, timeout=patience)
            for task in pending:
                task.cancel()
        self._leave(pending)

    async def dismiss(self) -> None:
        """Wait for all tasks, cancelled before, as `stop` does; when cancelled itself, leave them behind."""
        try:
            await self.stop(self._tasks, self._patience)
        except asyncio.CancelledError:
            for task in self._tasks:
                task.cancel()
            self._leave(set(self._tasks))
            raise

    async def __aenter__(self) -> Self:
        """Tasks can be started from here on."""
        self._failure = asyncio.get_running_loop().create_future()
        self._group = await asyncio.TaskGroup().__aenter__()
        self._group.create_task(self._represent())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for tasks that were cancelled, as `stop` does."""
        try:
            await self.dismiss()
        finally:
            if not self._failure.done():
                self._failure.set_result(None)
            await self._group.__aexit__(None, None, None)

    async def _represent(self) -> None:
        """Fail as the first task that fails."""
        await self._failure

    def _leave(self, pending: set[Task]) -> None:
        if pending:
            self._tasks -= pending
            self._abandoned |= pending
            names = ", ".join(sorted({task.get_name() for task in pending}))
            self._logger.error("%s resists being stopped and is left behind", names)

    def _end(self, task: Task) -> None:
        self._tasks.discard(task)
        self._abandoned.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if self._failure.done():
            self._logger.error("%s failed", task.get_name(), exc_info=error)
        else:
            self._failure.set_exception(error)
