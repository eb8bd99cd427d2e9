"""The rows about starting: processor time of whole processes, so that a busy neighbour matters less.

He matters still, through caches and clocks, but makes no process cheaper: the least of a few turns counts.
Every process, ours and theirs, finds bytecode in a folder of its own, as that of an installed package does:
without it we would measure the compiler on machines that are told to write none (PYTHONDONTWRITEBYTECODE).
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.outcome import ROOT
from bench.table import Gate, Row

COMMAND = str(Path(sys.executable).parent / "loom-deploy")
_SECONDS = 120
_TURNS = 3
"""Of each process in a round."""
_SDK = "import opentelemetry.sdk.trace, opentelemetry.sdk.metrics"
_LOOM = "from loom.runtime.loom import Loom"


@dataclass(frozen=True, slots=True)
class Start:
    """A process of ours, and one to measure it with."""

    gate: Gate
    ours: Sequence[str]
    """Arguments; `FOLDER` stands for an empty folder."""
    theirs: str
    """What a bare interpreter runs."""


def starts() -> tuple[Start, ...]:
    """Everything that is measured."""
    render = [COMMAND, "render", "--profile", "prod", "--output", "FOLDER/prod"]
    return (
        Start(
            Gate("loom-deploy render --profile prod", "time / import pydantic, jinja2", most=6.0),
            render,
            "import pydantic, jinja2",
        ),
        Start(
            Gate("loom-deploy --help", "time / import click", most=3.0), [COMMAND, "--help"], "import click"
        ),
        Start(Gate(_LOOM, f"time / {_SDK}", most=2.0), [sys.executable, "-c", _LOOM], _SDK),
    )


def rows(rounds: int) -> list[Row]:
    """One row each, interleaved; one unmeasured round first, so that bytecode is compiled."""
    chosen = starts()
    ratios: list[list[float]] = [[] for _ in chosen]
    voids = [""] * len(chosen)
    with tempfile.TemporaryDirectory() as bytecode:
        for number in range(rounds + 1):
            for place, start in enumerate(chosen):
                ratio, problem = _round(start, bytecode)
                voids[place] = voids[place] or problem
                if number and not problem:
                    ratios[place].append(ratio)
    return [
        Row(start.gate, measured, void) for start, measured, void in zip(chosen, ratios, voids, strict=True)
    ]


def _round(start: Start, bytecode: str) -> tuple[float, str]:
    ours: list[float] = []
    theirs: list[float] = []
    problems: list[str] = []
    for _ in range(_TURNS):
        with tempfile.TemporaryDirectory() as folder:
            command = [argument.replace("FOLDER", folder) for argument in start.ours]
            for costs, measured in ((ours, command), (theirs, [sys.executable, "-c", start.theirs])):
                spent, problem = cost(measured, bytecode)
                costs.append(spent)
                problems.append(problem)
    wrong = next(filter(None, problems), "")
    return (float("nan") if wrong else min(ours) / min(theirs)), wrong


def cost(command: Sequence[str], bytecode: str) -> tuple[float, str]:
    """Seconds of processor time of a process, and why it failed, if it did."""
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    before = _children()
    try:
        done = subprocess.run(
            command,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            cwd=ROOT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 0.0, str(error)
    problem = f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip()[-200:]}"
    return _children() - before, problem if done.returncode else ""


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
