"""Cuts a byte stream into lines, and never keeps more of a line than its limit."""

from typing import NamedTuple

EDGE = 512
"""Bytes kept from the beginning and the end of a line that is too long: JSON-RPC ids stand there."""


class Oversize(NamedTuple):
    """What is left of a line that was too long."""

    head: bytes
    tail: bytes
    size: int
    """Bytes it had."""


class Lines:
    """Takes chunks, gives whole lines without their ends. Time and memory are linear in what is fed."""

    def __init__(self, limit: int) -> None:
        """`limit` is the longest line in bytes."""
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = b""
        self._tail = b""

    def feed(self, chunk: bytes) -> list[bytes | Oversize]:
        """The lines that end in this chunk."""
        *ended, rest = chunk.split(b"\n")
        lines = [self._finish(part) for part in ended]
        self._keep(rest)
        return lines

    def _finish(self, part: bytes) -> bytes | Oversize:
        self._keep(part)
        if self._size > self._limit:
            whole: bytes | Oversize = Oversize(self._head, self._tail, self._size)
        else:
            whole = b"".join(self._pieces)
        self._pieces, self._size, self._head, self._tail = [], 0, b"", b""
        return whole

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            self._pieces.append(part)
            return
        for piece in (*self._pieces, part):
            self._head += piece[: EDGE - len(self._head)]
            self._tail = (self._tail + piece[-EDGE:])[-EDGE:]
        self._pieces = []
