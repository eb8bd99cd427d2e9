"""Standard output that cannot be written: what every command does then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
"""Linux' disk without room."""

needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
unbuffered = pytest.mark.parametrize("unbuffered", ["", "1"])
COMMANDS = pytest.mark.parametrize(
    "arguments",
    [("schema",), ("plan", "--profile", "prod"), ("diff", "dev", "prod"), ("plan", "--help"), ("--version",)],
    ids=" ".join,
)
"""By click, by rich, by `say`, and by click itself."""


def start(*arguments: str, stdout: int, environ: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "loom.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=stdout, stderr=pipe, text=True, env={**os.environ, **environ})


@needs_full
@unbuffered
@COMMANDS
def test_a_full_disk_is_an_error_of_one_line(arguments: tuple[str, ...], unbuffered: str) -> None:
    with FULL.open("w") as full:
        process = start(*arguments, stdout=full.fileno(), environ={"PYTHONUNBUFFERED": unbuffered})
    stderr = process.communicate(timeout=60)[1]
    assert (process.returncode, stderr.splitlines()[0]) == (
        4,
        "error: cannot write to standard output: No space left on device",
    )
    assert stderr.count("\n") == 1


@unbuffered
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("schema",), 141),
        (("plan", "--profile", "prod"), 141),
        (("plan", "--help"), 141),
        # What goes on also when nobody listens ends as it would have.
        (("diff", "dev", "dev"), 0),
        (("diff", "dev", "prod"), 1),
    ],
)
def test_a_reader_that_has_gone_away_is_no_finding(
    arguments: tuple[str, ...], code: int, unbuffered: str
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*arguments, stdout=writing, environ={"PYTHONUNBUFFERED": unbuffered})
    os.close(writing)
    assert (process.communicate(timeout=60)[1], process.returncode) == ("", code)


@needs_full
def test_an_error_that_nobody_can_read_keeps_its_exit_code() -> None:
    with FULL.open("w") as full:
        command = [sys.executable, "-m", "loom.cli", "plan", "--profile", "nobody"]
        assert subprocess.run(command, stderr=full, check=False).returncode == 3
