"""The seam to other programs: run one, hand over its output line by line, leave none behind."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

GRACE = 5.0
"""Seconds between asking a program to end and ending it."""

Tell = Callable[[str], None]
"""Takes one line of output, without its line end."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, with which environment (nothing is inherited)."""

    arguments: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    deadline: float = 3600.0
    """Seconds after which it is ended."""


class Runner(Protocol):
    """Runs a command to its end."""

    def run(self, command: Command, tell: Tell) -> int:
        """Its exit code; standard output and error go to `tell` together, as they come."""
        ...


class ProcessRunner:
    """The real one. An interrupt, or any error in `tell`, ends the program and its children first."""

    def run(self, command: Command, tell: Tell) -> int:
        """See `Runner.run`; a program that cannot be started at all raises OSError."""
        process = subprocess.Popen(  # noqa: S603 - the callers' arguments are data of ours
            command.arguments,
            cwd=command.folder,
            env=dict(command.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        clock = threading.Timer(command.deadline, _end, [process.pid, signal.SIGKILL])
        clock.daemon = True
        clock.start()
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            for line in process.stdout:
                tell(line.rstrip("\n"))
            return process.wait()
        except BaseException:
            _end(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
            raise
        finally:
            clock.cancel()
            _end(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()


def _end(group: int, how: signal.Signals) -> None:
    """Signal a whole process group; one that has gone is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, how)
