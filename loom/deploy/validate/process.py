"""Running a program until it answers, or until its time is up."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LONGEST_MESSAGE = 20
"""Lines of a program's output that a problem quotes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said."""

    code: int
    """Exit code; -1 when it did not end in time."""
    output: str
    """Both streams together."""

    @property
    def words(self) -> str:
        """The last lines of the output, for a problem."""
        lines = [line.rstrip() for line in self.output.splitlines() if line.strip()]
        return "\n".join(lines[-LONGEST_MESSAGE:]) or f"exit code {self.code} without a word"


def ask(command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float) -> Answer:
    """Run a program in a folder; a process group of its own, so that nothing outlives the deadline."""
    process = subprocess.Popen(  # noqa: S603 - one of the pinned programs, on a file of ours
        [str(part) for part in command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return Answer(-1, f"{output}\nno answer within {seconds:g} seconds")
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return Answer(process.returncode, output)
