"""What was found, and what was not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from loom.errors import Problem


class Verdict(StrEnum):
    """How one expectation fared."""

    FOUND = "found"
    MISSING = "missing"
    WRONG = "wrong"
    """There, and not as the contract says."""
    NOT_EXPECTED = "not expected"
    """Not asked for, with the reason in the detail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation and what became of it."""

    subject: str
    """`target`, `metric`, `span`, `exemplar` or `sampling`."""
    name: str
    verdict: Verdict
    detail: str = ""
    """What was seen."""
    hint: str = ""
    """What to do, when something is to be done."""
    lost_at: str = ""
    """Where on its way something that is missing was lost: a `Stage`; empty for everything else."""

    @property
    def problem(self) -> Problem:
        """It as an error, for those that are not good."""
        what = f"{self.subject} {self.name} is {self.verdict}"
        return Problem(f"{what}: {self.detail}" if self.detail else what, hint=self.hint)

    @property
    def good(self) -> bool:
        """Whether nothing is to be done."""
        return self.verdict in {Verdict.FOUND, Verdict.NOT_EXPECTED}


@dataclass(frozen=True, slots=True)
class Proof:
    """All findings of one verification."""

    findings: Sequence[Finding]
    seconds: float = 0.0
    """How long it took."""

    @property
    def bad(self) -> tuple[Finding, ...]:
        """What is missing or wrong."""
        return tuple(finding for finding in self.findings if not finding.good)
