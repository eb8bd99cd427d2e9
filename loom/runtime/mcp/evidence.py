"""What a transport saw of a server: for the log and for the error that explains a failure."""

from dataclasses import dataclass

STDERR = 2048
"""Bytes kept of what a process said last on stderr."""


@dataclass(slots=True)
class Evidence:
    """Filled in while one connection lives."""

    pid: int = 0
    """The child process; 0 when there is none."""
    exit_code: int | None = None
    """How it ended; negative for a signal."""
    http_status: int = 0
    """Of the latest HTTP answer; 0 when there was none."""
    garbage: int = 0
    """Lines on stdout that were no JSON-RPC messages."""
    stderr: bytes = b""
    """The end of what it wrote to stderr. It may hold anything: for the log only."""

    def hear(self, chunk: bytes) -> None:
        """Keep the end of what the process says on stderr."""
        self.stderr = (self.stderr + chunk[-STDERR:])[-STDERR:]

    @property
    def end(self) -> str:
        """`ended with exit code 1`, `was ended by signal 9`; empty while nobody knows."""
        if self.exit_code is None:
            return ""
        if self.exit_code < 0:
            return f"was ended by signal {-self.exit_code}"
        return f"ended with exit code {self.exit_code}"

    @property
    def last_words(self) -> str:
        """The last lines on stderr as one line of text."""
        lines = self.stderr.decode(errors="replace").split("\n")
        return " | ".join(line.strip() for line in lines if line.strip())
