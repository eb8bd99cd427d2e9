"""Evidence into findings: every check, and which of the broken ones explains which. Pure."""

from collections.abc import Sequence

from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Diagnosis, Finding, Judgement, Verdict, cannot_tell

_EXPLAINED = {Verdict.BROKEN, Verdict.CANNOT_TELL, Verdict.WARNING}


def diagnose(checks: Sequence[Check], evidence: Evidence) -> Diagnosis:
    """Judge every check; they come in such an order that what a check needs is before it."""
    findings: dict[str, Finding] = {}
    for check in checks:
        judgement = _judged(check, evidence)
        because = _cause(check, findings) if judgement.verdict in _EXPLAINED else ""
        findings[check.name] = Finding(check, judgement, because)
    return Diagnosis(tuple(findings.values()))


def _judged(check: Check, evidence: Evidence) -> Judgement:
    try:
        return check.judge(evidence)
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        # Whoever answers may be anybody: one answer of another form must not silence the other checks.
        return cannot_tell(f"an answer or a file has another form than it should: {error!r}")


def _cause(check: Check, before: dict[str, Finding]) -> str:
    """The broken check behind the first broken one that is needed, however far back it is."""
    for name in check.needs:
        finding = before[name]
        if finding.because:
            return finding.because
        if finding.broken:
            return name
    return ""
