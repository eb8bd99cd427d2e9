"""What one process measured, as a line of JSON."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
SECONDS = 300
"""Deadline of one process."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Costs and honesty of contestants that ran side by side."""

    costs: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Contestant → seconds of processor time an event, all threads together, block by block."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """Contestant → what it recorded differently from what happened."""
    failed: str = ""
    """Why there is no outcome."""

    def dump(self) -> str:
        """The line."""
        return json.dumps(asdict(self))

    def void(self, *names: str) -> str:
        """Why nothing may be concluded about these; empty when all is well."""
        missing = [f"{name} was not measured" for name in names if not self.costs.get(name)]
        wrong = [f"{name}: {self.wrong[name]}" for name in names if name in self.wrong]
        return self.failed or next(iter([*wrong, *missing]), "")

    def ratio(self, fast: str, slow: str) -> float:
        """How many times the events of `slow` cost those of `fast`: the median over blocks side by side."""
        pairs = zip(self.costs.get(fast, ()), self.costs.get(slow, ()), strict=True)
        ratios = [other / one for one, other in pairs]
        return median(ratios) if ratios else float("nan")


def execute(command: Sequence[str]) -> dict[str, Any]:
    """Start a process and read its last line, a JSON object; one that fails gives `{"failed": why}`."""
    name = " ".join(command[1:4])
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"failed": f"{name} failed: {error}"}
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        return {"failed": f"{name} failed: {done.stderr.strip()[-200:]}"}
    return dict(json.loads(lines[-1]))


def run(command: Sequence[str]) -> Outcome:
    """The outcome of a process."""
    return Outcome(**execute(command))


def contest(name: str, blocks: int, peer: str) -> Outcome:
    """The outcome of one contest; `peer` is the interpreter of the peer, empty to do without it."""
    return run([sys.executable, "-m", "bench.contest", name, str(blocks), peer])
