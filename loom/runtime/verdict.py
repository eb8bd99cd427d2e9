"""How a call in its caller's own task ended when that task was cancelled: it depends on by whom."""

import asyncio
from typing import NoReturn

from loom.runtime.broker_metrics import Answer
from loom.runtime.call import ErrorCode, Result, Status

GIVEN_UP = Result.failed(ErrorCode.CANCELLED)
"""What counts for a caller that was cancelled."""


def judge(result: Result | None, answer: Answer, stopped: ErrorCode | None) -> Result:
    """What a call came to whose provider was stopped by the broker or raised a cancellation itself."""
    if stopped is ErrorCode.TIMEOUT:
        if answer.error is None or isinstance(answer.error, asyncio.CancelledError):
            place = None if answer.error is None else answer.error.__traceback__
            answer.error = TimeoutError().with_traceback(place)
        return Result.failed(ErrorCode.TIMEOUT, status=Status.TIMEOUT)
    if result is not None:
        return result
    task = asyncio.current_task()
    if stopped is None and answer.error is not None and task is not None and task.cancelling():
        raise answer.error  # asked for before the call, and delivered during it
    return Result.failed(stopped or ErrorCode.CANCELLED)


async def give_up(error: BaseException | None) -> NoReturn:
    """The caller was cancelled: go on with that, also when the provider made something else of it."""
    if isinstance(error, asyncio.CancelledError):
        raise error
    await asyncio.sleep(0)  # anyio cancels again, and knows only its own cancellations
    raise asyncio.CancelledError
