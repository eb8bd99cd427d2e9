"""autogen-core as a contestant: a process of its own that handles its blocks while all others wait."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

PEER = "autogen-core"
"""Its name among the contestants."""
PROGRAM = Path(__file__).with_name("peer.py")
_SECONDS = 10.0
_SLOWER = 5
"""It is given fewer bursts a block, so that its blocks last about as long as ours."""


class Peer:
    """Enter it to start it."""

    def __init__(self, interpreter: str) -> None:
        """`interpreter` is a Python that has autogen-core."""
        self._interpreter = interpreter
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start the process."""
        self._process = subprocess.Popen(
            [self._interpreter, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it end."""
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    async def measure(self, bursts: int) -> float:
        """See `Contestant.measure`; nothing else runs on our event loop meanwhile, which is the point."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            message = "the peer was not started"
            raise RuntimeError(message)
        process.stdin.write(f"{max(bursts // _SLOWER, 1)}\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    async def audit(self, events: int) -> list[str]:
        """It waits for each of its events, and records nothing."""
        del events
        return []
