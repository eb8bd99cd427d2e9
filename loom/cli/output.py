"""Standard output that cannot be written: a full disk is an error, a reader that has gone away is none."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from loom.errors import Problem, WriteError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CLOSED = 128 + signal.SIGPIPE
"""What a shell reports for a program that wrote into a closed pipe."""


class GoneError(SystemExit):
    """Nobody reads any more: the end, without a word. No OSError: click and rich take that for exit 1."""


class Descriptor(io.FileIO):
    """A standard stream that says which one failed: from an OSError alone nobody can tell that."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write; GoneError or WriteError, once: after that it leads to nowhere."""
        try:
            return super().write(data)
        except OSError as error:
            silence(self.fileno())
            if isinstance(error, BrokenPipeError):
                raise GoneError(CLOSED) from None
            why = error.strerror or str(error)
            raise WriteError(Problem(f"cannot write to standard output: {why}")) from None


def watch() -> None:
    """From now on standard output is such a stream; one that is closed, or a test's, stays as it is."""
    before = sys.stdout
    try:
        descriptor = Descriptor(before.fileno(), "w", closefd=False)
    except (AttributeError, OSError):
        return
    before.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(descriptor),
        before.encoding,
        before.errors,
        line_buffering=getattr(before, "line_buffering", False),
    )


@contextmanager
def complaining() -> Iterator[None]:
    """Around what goes to standard error: where nobody can read it, the exit code alone has to say it."""
    try:
        yield
    except OSError:
        silence(sys.stderr.fileno())


def silence(descriptor: int) -> None:
    """Let it lead to nowhere: the interpreter writes what is left at exit, and would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
