"""Ctrl-C and SIGTERM: what they ask for happens at whatever instant they come."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Command:
    """The one of this process."""

    over = False
    """Nothing is left to interrupt, though it takes a moment to end."""


@contextmanager
def remembered(*numbers: signal.Signals, once: bool = False) -> Iterator[Callable[[], bool]]:
    """One of the signals raises KeyboardInterrupt, also when that was lost; gives a look whether one came.

    The interpreter drops what is raised while a generator is finalized, libraries in other languages take it
    for a value that is not valid, and `__set_name__` makes another error of it. With `once`, those that
    follow are ignored, by programs that are started then too.
    """
    came = _Command.over = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal came
        del number, frame
        if _Command.over:
            return
        came = True
        if once:
            for each in numbers:
                signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield lambda: came
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if came:
            raise KeyboardInterrupt


@contextmanager
def undone(undo: Callable[[], None]) -> Iterator[None]:
    """When one comes, call `undo`, undisturbed by a second one, and raise KeyboardInterrupt.

    Once all has been done the command is over: what comes later could undo nothing, and is not heard.
    """
    with remembered(signal.SIGINT, signal.SIGTERM, once=True) as came:
        try:
            yield
            _Command.over = not came()
        finally:
            if came():
                undo()
