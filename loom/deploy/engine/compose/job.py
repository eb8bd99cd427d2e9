"""A command that goes on while we watch what it brings about."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress

_GRACE = 10.0
"""Seconds for it to end by itself when it is stopped."""


class Process:
    """A command in a session of its own: an interrupt at our terminal is for us, who then clean up."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it."""
        self._words = ""
        # A file, not a pipe: nobody needs to read while it runs.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the job, which outlives this call
        self._process = subprocess.Popen(  # noqa: S603 - docker with arguments of ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
            cwd="/",  # where no compose file of the caller's is found when the project alone is named
        )

    def done(self) -> int | None:
        """See `Job.done`."""
        return self._process.poll()

    def stop(self) -> None:
        """See `Job.stop`."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE)
        if not self._output.closed:
            self._words = self.said()
            self._output.close()

    def said(self) -> str:
        """See `Job.said`."""
        if self._output.closed:
            return self._words
        # Not by seeking: the command writes at the position that we would move.
        descriptor = self._output.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")
