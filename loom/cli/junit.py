"""Findings as a JUnit XML file, for CI servers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loom.deploy.verify import Proof
from loom.deploy.verify.report import as_junit
from loom.deploy.writer.replacement import replacing
from loom.errors import Problem, WriteError

Function = TypeVar("Function", bound=Callable[..., Any])


def option(command: Function) -> Function:
    """The option `--junit`, as the argument `junit_file`."""
    return click.option(
        "--junit",
        "junit_file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the findings as JUnit XML too.",
    )(command)


def require(path: Path | None) -> None:
    """Whether it can be written, before anything is run for it: WriteError when not, and nothing is left."""
    if path is None:
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        hint = "nothing was run: take a FILE in a folder that is there and that you may write to"
        raise _refused(path, error, hint) from None


def write(path: Path | None, proof: Proof, command: str) -> None:
    """Whole or not at all: a CI server may read it at any moment. WriteError when it cannot be written."""
    if path is None:
        return
    try:
        with replacing(path) as stream:
            stream.write(as_junit(proof, command).encode())
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError, hint: str = "") -> WriteError:
    why = (error.strerror or str(error)).lower()
    return WriteError(Problem(f"cannot be written: {why}", str(path), hint=hint))
