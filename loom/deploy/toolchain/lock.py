"""One installation at a time, across processes: a lock that the kernel gives back when its holder dies."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loom.errors import Problem, ToolchainError

PAUSE = 0.2
"""Seconds between two looks at a lock that somebody holds."""
DEADLINE = 7200.0
"""Seconds after which waiting is given up: longer than any installation takes."""


@contextmanager
def hold(file: Path, wait: Callable[[int], None], deadline: float = DEADLINE) -> Iterator[None]:
    """Hold the lock. While another process does, `wait` is called with that process's id (0 when unknown).

    The kernel lets go when the process ends, however it ends, so there are no stale locks; the file stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, file, wait, time.monotonic() + deadline)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, file: Path, wait: Callable[[int], None], until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            if time.monotonic() > until:
                message = f"another installation does not end (pid {holder})"
                raise ToolchainError(Problem(message, file=str(file), hint="end it and try again")) from None
            wait(holder)
            time.sleep(PAUSE)
        else:
            return


def _holder(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0
