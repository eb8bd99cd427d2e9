"""Running the programs that images need on this machine: pip, debootstrap."""

import os
from pathlib import Path

from loom.deploy.toolchain import Command, ProcessRunner, Runner
from loom.errors import EngineError, Problem

ENOUGH = 12
"""Lines of a program's output that an error quotes."""


def run(arguments: tuple[str, ...], folder: Path, runner: Runner | None = None) -> list[str]:
    """Its output's lines; EngineError in its own words when it fails."""
    lines: list[str] = []
    try:
        code = (runner or ProcessRunner()).run(Command(arguments, folder, os.environ), lines.append)
    except OSError as error:
        raise EngineError(Problem(f"{arguments[0]} cannot be started: {error.strerror}")) from None
    if code:
        said = "\n".join(lines[-ENOUGH:]) or "nothing"
        raise EngineError(Problem(f"{Path(arguments[0]).name} failed (exit code {code}); it said:\n{said}"))
    return lines
