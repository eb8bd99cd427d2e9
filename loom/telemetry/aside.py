"""Work in a daemon thread of its own: a pool may be full of what never ends, and is waited for at the end."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

Made = TypeVar("Made")


def start(work: Callable[[], Made], name: str) -> Future[Made]:
    """Do it beside whoever asks, in the same context; the future has what it returns or raises."""
    future: Future[Made] = Future()
    future.set_running_or_notify_cancel()  # whoever does not wait any more cannot take it back

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            future.set_exception(error)

    thread = Thread(target=copy_context().run, args=(do,), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending: newer ones start no threads then
        do()
    return future
