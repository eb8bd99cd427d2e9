"""Findings as a JUnit XML file, for CI servers."""

import os
from pathlib import Path

from loom.deploy.verify import Proof
from loom.deploy.verify.report import as_junit
from loom.errors import Problem, WriteError


def write(path: Path, proof: Proof, command: str) -> None:
    """Whole or not at all: a CI server may read it at any moment. WriteError when it cannot be written."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(as_junit(proof, command), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise WriteError(Problem(f"cannot be written: {error.strerror}", str(path))) from error
