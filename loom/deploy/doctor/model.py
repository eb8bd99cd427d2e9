"""What the doctor answers: a check, its verdict, and which broken thing explains the others. Data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from loom.deploy.doctor.evidence import Evidence


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARNING = "warning"
    """It works now and will not for ever; never makes the whole unhealthy."""
    BROKEN = "broken"
    CANNOT_TELL = "cannot tell"
    """The question could not be asked, or it is too early; the evidence says why."""
    NOT_APPLICABLE = "not applicable"
    """Nothing of the kind is there to be looked at."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check says of the evidence."""

    verdict: Verdict
    evidence: str
    """What was asked and what was answered."""
    remedy: str = ""
    """A command or an edit; empty when nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question about a deployment."""

    name: str
    """A slug, unique."""
    title: str
    """What is true when it is well, as a sentence without a full stop."""
    step: str
    """The step of the user's document that it stands for."""
    judge: Callable[[Evidence], Judgement]
    """Pure."""
    needs: tuple[str, ...] = ()
    """Names of the checks whose failure explains a failure of this one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check, judged."""

    check: Check
    judgement: Judgement
    because: str = ""
    """Name of the broken check that explains it; empty when nothing earlier does."""

    @property
    def broken(self) -> bool:
        """Whether something has to be done."""
        return self.judgement.verdict is Verdict.BROKEN


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every finding, in the order of the way that telemetry takes."""

    findings: Sequence[Finding]

    @property
    def causes(self) -> tuple[Finding, ...]:
        """What is broken by itself; the first of these is the first cause."""
        return tuple(finding for finding in self.findings if finding.broken and not finding.because)

    @property
    def first(self) -> Finding | None:
        """The one thing to look at; None when nothing is broken."""
        return self.causes[0] if self.causes else None

    def of(self, verdict: Verdict) -> tuple[Finding, ...]:
        """The findings of one verdict."""
        return tuple(finding for finding in self.findings if finding.judgement.verdict is verdict)

    def explained(self, cause: Finding) -> tuple[Finding, ...]:
        """What fails only because of `cause`."""
        return tuple(finding for finding in self.findings if finding.because == cause.check.name)


def ok(evidence: str) -> Judgement:
    """All is well."""
    return Judgement(Verdict.OK, evidence)


def warning(evidence: str, remedy: str) -> Judgement:
    """Well for now."""
    return Judgement(Verdict.WARNING, evidence, remedy)


def broken(evidence: str, remedy: str) -> Judgement:
    """Something has to be done."""
    return Judgement(Verdict.BROKEN, evidence, remedy)


def cannot_tell(why: str, remedy: str = "") -> Judgement:
    """It could not be asked, or it is too early."""
    return Judgement(Verdict.CANNOT_TELL, why, remedy)


def not_applicable(why: str) -> Judgement:
    """There is nothing of the kind here."""
    return Judgement(Verdict.NOT_APPLICABLE, why)
