"""docs/fire.md: a row for each fault and for each port; written with LOOM_WRITE_DOCS=1, else compared."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "fire.md"
FAULTS = "## Faults"
EDGES = "## Ports, ingestion by "
"""And how Loom proves itself to the collector."""


@dataclass(frozen=True)
class Fault:
    """What became of one."""

    name: str
    lasted: float
    """Seconds."""
    sent: str
    acknowledged: str
    arrived: str
    lost: str
    """As the runtime counts it."""
    verdict: str
    """What was shown, in words without numbers."""


@dataclass
class Page:
    """The page on disk, and the rows of this run."""

    file: Path = PAGE
    rewrite: bool = field(default_factory=lambda: bool(os.environ.get("LOOM_WRITE_DOCS")))
    rows: list[str] = field(default_factory=list)

    def tell(self, fault: Fault) -> None:
        """The row of a fault: its numbers are of one run, its verdict holds for each."""
        numbers = (f"{fault.lasted:g} s", fault.sent, fault.acknowledged, fault.arrived, fault.lost)
        self.put(FAULTS, (fault.name, *numbers, fault.verdict), (fault.verdict,))

    def put(self, section: str, cells: Sequence[str], lasting: Sequence[str]) -> None:
        """One row of a section's table; what is lasting must stand in the page's row of that name."""
        row = f"| {' | '.join(cells)} |"
        self.rows.append(row)
        if self.rewrite:
            self._write(section, cells[0], row)
        kept = [line for line in self._table(section)[2:] if line.startswith(f"| {cells[0]} |")]
        assert len(kept) == 1, f"{self.file.name} has no row for {cells[0]}: run with LOOM_WRITE_DOCS=1"
        missing = [text for text in lasting if text not in kept[0]]
        assert missing == [], "run with LOOM_WRITE_DOCS=1, and read what changed"

    def _table(self, section: str) -> list[str]:
        lines = self.file.read_text().splitlines()
        below = lines[lines.index(section) + 1 :]
        start = next(number for number, line in enumerate(below) if line.startswith("|"))
        end = next((n for n, line in enumerate(below) if n > start and not line.startswith("|")), len(below))
        return below[start:end]

    def _write(self, section: str, name: str, row: str) -> None:
        table = self._table(section)
        others = [line for line in table[2:] if not line.startswith(f"| {name} |")]
        fresh = [*table[:2], *sorted([*others, row])]
        text, head = self.file.read_text(), f"{section}\n"
        before, after = text.split(head)
        self.file.write_text(before + head + after.replace("\n".join(table), "\n".join(fresh), 1))
