"""One render at a time for a folder: a lock that a crash cannot leave behind."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loom.errors import Problem, WriteError

DEADLINE = 10.0
"""Seconds to wait for another render; one takes well under a second."""

_NO_FOLDER_LOCKS = {errno.EBADF, errno.EISDIR, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


@contextmanager
def locked(folder: Path, deadline: float = DEADLINE, who: str = "another render") -> Iterator[None]:
    """Hold the lock of `folder`; WriteError when `who` holds it longer than `deadline` seconds.

    The folder itself is locked, so no lock file is left lying about; where a file system locks files only,
    as NFS does, it is the file `.loom-lock` in it. The kernel lets go of either when the process dies.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            _take(descriptor, folder, deadline, who)
        except OSError as error:
            if error.errno not in _NO_FOLDER_LOCKS:
                raise
            os.close(descriptor)
            descriptor = os.open(folder / ".loom-lock", os.O_RDWR | os.O_CREAT, 0o644)
            _take(descriptor, folder, deadline, who)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path, deadline: float, who: str) -> None:
    end = time.monotonic() + deadline
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                problem = Problem(
                    f"{who} has been at work here for {deadline:g} s",
                    file=str(folder),
                    hint="wait for it to finish, or end it",
                )
                raise WriteError(problem) from None
            time.sleep(0.02)  # flock has no time limit of its own
        else:
            return
