"""Lines of several commands: one after the other, or as they come."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from threading import Thread

from loom.deploy.engine.protocol import LogLine

Commands = Mapping[str, Sequence[str]]
"""Service → the command that prints its log, on either stream."""


def in_turn(commands: Commands) -> Iterator[LogLine]:
    """All lines of each, in the order of the commands."""
    for service, command in commands.items():
        done = subprocess.run(  # noqa: S603 - docker with arguments of ours
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        yield from (LogLine(service, line) for line in done.stdout.splitlines())


def together(commands: Commands) -> Iterator[LogLine]:
    """Lines as they come, until every command has ended; whoever stops reading ends the commands."""
    lines: SimpleQueue[LogLine | None] = SimpleQueue()
    running = {service: _started(command) for service, command in commands.items()}
    for service, process in running.items():
        Thread(target=_read, args=(service, process, lines), daemon=True).start()
    left = len(running)
    try:
        while left:
            line = lines.get()
            if line is None:
                left -= 1
            else:
                yield line
    finally:
        for process in running.values():
            process.terminate()
            process.wait()


def _started(command: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - as above
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )


def _read(service: str, process: "subprocess.Popen[str]", lines: "SimpleQueue[LogLine | None]") -> None:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    with process.stdout as output:
        for line in output:
            lines.put(LogLine(service, line.rstrip("\n")))
    lines.put(None)
