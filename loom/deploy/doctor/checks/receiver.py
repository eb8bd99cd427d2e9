"""What the embedded receiver itself says of what it took: no store lies behind it that could be asked."""

from collections.abc import Mapping
from typing import Any

from loom.contract import scopes
from loom.deploy.doctor.checks import runtime, steps
from loom.deploy.doctor.checks.services import answers, runs
from loom.deploy.doctor.evidence import Evidence
from loom.deploy.doctor.model import Check, Judgement, broken, cannot_tell, not_applicable, ok
from loom.deploy.doctor.stack import Endpoint
from loom.deploy.engine.embedded import RECEIVER

KEPT = "contract-kept"
CONDITIONS = (runs(RECEIVER), answers(RECEIVER))
"""Names of the checks without which it cannot be asked."""
_QUOTED = 3
"""Problems that are told; the page has them all."""


def heard(report: Mapping[str, Any]) -> tuple[str, str]:
    """What it took of spans and of metrics of Loom's; each empty for nothing."""
    spans = sum(row["count"] for row in report["spans"] if row["scope"] in scopes.ALL)
    points = report["points"]
    return f"the receiver took {spans}" * bool(spans), f"it took {points} points" * bool(points)


def judge_kept(evidence: Evidence) -> Judgement:
    """What has arrived is as the contract says."""
    address = evidence.stack.endpoints.get(Endpoint.RECEIVER)
    if address is None:
        return not_applicable("only the embedded receiver judges what arrives; otherwise: loom-deploy verify")
    report = evidence.report
    if report is None:
        return cannot_tell("the receiver does not show its report")
    wrong = report["problems"][: report["broken"]]
    if wrong:
        said = "; ".join(problem["message"] for problem in wrong[:_QUOTED])
        more = f"; and {len(wrong) - _QUOTED} more" if len(wrong) > _QUOTED else ""
        hint = f"{wrong[0]['hint']}; " if wrong[0]["hint"] else ""
        return broken(said + more, f"{hint}all that is wrong is at {address}")
    if not any(heard(report)):
        return not_applicable("nothing of Loom's has arrived")
    return ok(f"nothing is wrong, and {report['percent']:g} % of the contract was seen")


CHECKS = (
    Check(
        KEPT,
        "What Loom reports is as the contract says",
        steps.BEYOND,
        judge_kept,
        (*CONDITIONS, runtime.CONNECTS),
    ),
)
