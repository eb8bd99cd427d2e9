"""Log files: their last lines, and the lines that come."""

import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from loom.deploy.engine.deployment import Home
from loom.deploy.engine.protocol import LogLine, LogRequest
from loom.deploy.profile.spelling import nearest
from loom.errors import Problem, UnknownServiceError

SUPERVISOR = "supervisord"
"""The supervisor's own log, beside those of the services."""

_TAIL = 65_536
"""Bytes that are searched for the last lines."""
_POLL = 0.2
"""Seconds between two looks at files that are followed."""


def last_lines(path: Path, count: int) -> tuple[str, ...]:
    """The last lines of a file; none when there is no such file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(text.splitlines()[-count:]) if count else ()


def path_of(home: Home, service: str) -> Path:
    """Where a service's log is."""
    return home.run / f"{service}.log"


def require_known(services: Sequence[str], known: Collection[str]) -> None:
    """UnknownServiceError for the first that is none of these, with the one that was meant."""
    for service in services:
        if service not in known:
            raise UnknownServiceError(
                Problem(f"there is no service {service!r}", hint=nearest(service, known))
            )


def read(home: Home, services: Sequence[str], request: LogRequest) -> Iterator[LogLine]:
    """The last lines of each service, and with `follow` every line that comes, without end."""
    offsets = {service: _size(path_of(home, service)) for service in services}
    for service in services:
        for line in last_lines(path_of(home, service), request.lines):
            yield LogLine(service, line)
    while request.follow:
        for service in services:
            offsets[service], lines = _further(path_of(home, service), offsets[service])
            yield from (LogLine(service, line) for line in lines)
        time.sleep(_POLL)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _further(path: Path, offset: int) -> tuple[int, list[str]]:
    """Whole lines after `offset`, and where they end; from the start when the file was rotated."""
    if _size(path) < offset:
        offset = 0
    if _size(path) == offset:
        return offset, []
    with path.open("rb") as file:
        file.seek(offset)
        whole = file.read().rpartition(b"\n")[0]
    if not whole:
        return offset, []
    return offset + len(whole) + 1, whole.decode(errors="replace").split("\n")
