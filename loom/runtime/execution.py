"""One run of a provider, shared by every caller that asks for the same call meanwhile."""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

from loom.runtime.call import Call, ErrorCode, Result, Status, read_error
from loom.runtime.catalogue import Registration
from loom.runtime.crew import Crew


class Execution:
    """Runs until its last caller's deadline; stops early when nobody waits any more."""

    def __init__(
        self, registration: Registration, call: Call, finished: "Callable[[Execution], None]"
    ) -> None:
        """`finished` is called once, with the outcome in place."""
        self.registration = registration
        self.call = call
        self.result: Result | None = None
        self.error: BaseException | None = None
        """What the provider raised."""
        self.elapsed = 0
        """Nanoseconds the provider took."""
        self._finished = finished
        self._callers = 0
        self._timeout: asyncio.Timeout | None = None
        self._deadline = 0.0
        self._task: asyncio.Task[None] | None = None
        self._abort_code = ErrorCode.CANCELLED
        self._aborted = False

    @property
    def version(self) -> str:
        """The version that serves it."""
        return self.registration.capability.version

    @property
    def outcome(self) -> Result:
        """The result; what stopped it when there is none."""
        return self.result or Result.failed(self._abort_code)

    @property
    def joinable(self) -> bool:
        """Whether a further caller may still get something of it: not once it is being stopped, or failed."""
        task, timeout = self._task, self._timeout
        if task is None or self._aborted or (timeout is not None and timeout.expired()):
            return False
        return not task.done() or (self.result is not None and self.result.ok)

    def start(self, crew: Crew, patience: float) -> None:
        """Run in a task of its own: a caller that is cancelled must not take others with it.

        It takes at most `patience` seconds to stop.
        """
        self._task = crew.start(self._run(), f"call of {self.call.capability}", patience)
        # Not at the end of _run: a task that is cancelled before its first step never gets there.
        self._task.add_done_callback(self._conclude)

    def abort(self, code: ErrorCode) -> None:
        """Stop it; its callers get an error with this code."""
        self._abort_code = code
        self._aborted = True
        if self._task is not None:
            self._task.cancel()

    async def join(self, timeout: float) -> Result | None:  # noqa: ASYNC109 - each caller has its own
        """Wait for the result; None when this caller's own `timeout` in seconds is over first."""
        task = self._task
        if task is None:
            return self.outcome
        self._prolong(asyncio.get_running_loop().time() + timeout)
        self._callers += 1
        try:
            done, _ = await asyncio.wait((task,), timeout=timeout)
        finally:
            self._callers -= 1
            if not self._callers and not task.done():
                self.abort(ErrorCode.CANCELLED)
        return self.outcome if done else None

    def _prolong(self, deadline: float) -> None:
        if deadline > self._deadline:
            self._deadline = deadline
            # One that is done keeps its place until the loop's next turn: there is nothing left to prolong.
            if self._timeout is not None and self._task is not None and not self._task.done():
                self._timeout.reschedule(deadline)

    async def _run(self) -> None:
        started = perf_counter_ns()
        try:
            self.result = await self._ask()
        except asyncio.CancelledError as error:
            self.error = error
        finally:
            self.elapsed = perf_counter_ns() - started

    def _conclude(self, _: asyncio.Task[None]) -> None:
        self._finished(self)

    async def _ask(self) -> Result:
        try:
            async with asyncio.timeout_at(self._deadline or None) as self._timeout:
                output = await self.registration.provider(self.call)
        except TimeoutError as error:
            self.error = error
            if self._timeout is not None and self._timeout.expired():
                return Result.failed(ErrorCode.TIMEOUT, status=Status.TIMEOUT)
            return Result.failed(ErrorCode.CAPABILITY_ERROR, read_error(error))
        except Exception as error:  # noqa: BLE001 - whatever a provider raises is the call's result
            self.error = error
            return Result.failed(ErrorCode.CAPABILITY_ERROR, read_error(error))
        return output if isinstance(output, Result) else Result(Status.OK, output)
