"""Ratios, the gates they must keep, and what the process ends with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import median


@dataclass(frozen=True, slots=True)
class Gate:
    """What a ratio must be."""

    name: str
    """What is measured."""
    compared: str
    """What is divided by what."""
    least: float = 0.0
    most: float = float("inf")
    judge: Callable[[Sequence[float]], float] = median
    """Which of the rounds counts: the median, or `min` where a single bad one is one too many."""

    def __str__(self) -> str:
        """`≥ 0.4` or `≤ 6`."""
        return f"≥ {self.least:g}" if self.least else f"≤ {self.most:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """A gate and the ratios that were measured for it, one a round."""

    gate: Gate
    ratios: Sequence[float]
    void: str = ""
    """Why nothing may be concluded: what arrived differs from what was done; empty when all is well."""
    skipped: str = ""
    """Why it cannot be measured here, where that is no defect; such a row is neither kept nor missed."""
    note: str = ""
    """The same in other units, for people."""

    @property
    def ratio(self) -> float:
        """The one that counts; not a number when there is none, or one of them is none."""
        if not self.ratios or any(map(isnan, self.ratios)):
            return float("nan")
        return self.gate.judge(self.ratios)

    @property
    def kept(self) -> bool:
        """Whether the run counts and the gate holds; a ratio that is not a number keeps none."""
        return not self.void and not self.skipped and self.gate.least <= self.ratio <= self.gate.most

    @property
    def verdict(self) -> str:
        """In one word, and why it is not a better one."""
        if self.skipped:
            return f"not run: {self.skipped}"
        if self.void:
            return f"VOID: {self.void}"
        return "kept" if self.kept else "BROKEN"

    def cells(self) -> tuple[str, ...]:
        """One line of the table."""
        number = spread = "-"
        if self.ratios:
            number = f"{self.ratio:.3g}"
            spread = f"{min(self.ratios):.3g} to {max(self.ratios):.3g}"
        verdict = f"{self.verdict}  ({self.note})" if self.note else self.verdict
        return (self.gate.name, self.gate.compared, number, spread, str(self.gate), verdict)


HEAD = ("what", "compared", "ratio", "of the rounds", "gate", "verdict")


def render(rows: Sequence[Row]) -> str:
    """The whole table, with a last line that says how it ended."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    run = [row for row in rows if not row.skipped]
    end = f"{sum(row.kept for row in run)} of {len(run)} gates kept"
    skipped = len(rows) - len(run)
    return "\n".join([*text, f"{end}, {skipped} not run" if skipped else end])


def exit_code(rows: Sequence[Row]) -> int:
    """0 when every gate that was run was kept; a table in which none was run proves nothing."""
    run = [row for row in rows if not row.skipped]
    return 0 if run and all(row.kept for row in run) else 1
