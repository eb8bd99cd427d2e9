"""The same proof where the receiver itself judges what arrives: its report, read as findings."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from loom.contract import scopes
from loom.deploy.embedded.report import State
from loom.deploy.engine.embedded import page
from loom.deploy.verify.client import connect, get
from loom.deploy.verify.finding import Finding, Proof, Verdict
from loom.deploy.verify.journey import Stage
from loom.deploy.verify.question import Question, wait
from loom.errors import EngineError, Problem

Report = Mapping[str, Any]
"""What the page's `/api/report` answers."""

_VERDICTS = {
    State.SEEN: Verdict.FOUND,
    State.PARTLY: Verdict.FOUND,
    State.WAITING: Verdict.MISSING,
    State.QUIET: Verdict.NOT_EXPECTED,
}
"""State of a row → verdict; that a value of a closed set was not seen yet is told and is no fault."""


def prove_embedded(question: Question, pause: Callable[[float], None] = time.sleep) -> Proof:
    """Ask the running receiver; EngineError when it does not answer."""
    if question.services:
        problem = Problem("the embedded engine judges all services together", hint="leave out --service")
        raise EngineError(problem)
    with connect(page(question.plan)) as client:
        return wait(
            question, lambda: judge_report(get(client, "/api/report", {}), question.components), pause
        )


def judge_report(report: Report, components: Collection[str] = scopes.ALL) -> list[Finding]:
    """A finding for the receiver, and one for each metric and span of the components. Pure."""
    wanted = {*components, scopes.TELEMETRY}
    silent = not report["arrived"] and not report["points"]
    heard = f"{report['arrived']} spans and {report['points']} data points so far"
    hint = "run Loom with the variables of the rendered .env" if silent else ""
    verdict = Verdict.MISSING if silent else Verdict.FOUND
    return [
        Finding("target", "receiver", verdict, heard, hint),
        *(
            _judge(subject, row, row[name], report)
            for subject, name in (("metric", "name"), ("span", "key"))
            for row in report[f"{subject}s"]
            if row["scope"] in wanted
        ),
    ]


def _judge(subject: str, row: Report, name: str, report: Report) -> Finding:
    if row["faults"]:
        told = [problem for problem in report["problems"] if name in problem["message"]]
        first = told[0] if told else {"message": f"{row['faults']} faults", "hint": ""}
        return Finding(subject, name, Verdict.WRONG, first["message"], first["hint"])
    verdict = _VERDICTS[State(row["state"])]
    if verdict is Verdict.MISSING:
        # Nothing lies between the SDK and the receiver: what others sent got through.
        stage = Stage.RUNTIME if report["arrived"] or report["points"] else Stage.SDK
        return Finding(subject, name, verdict, "", row["description"].rstrip("."), stage)
    if verdict is Verdict.NOT_EXPECTED:
        return Finding(subject, name, verdict, "none, as it should be")
    count = f"{row['series']} series" if subject == "metric" else f"{row['count']} spans"
    return Finding(subject, name, verdict, "; ".join((count, *_unseen(row["attributes"]))))


def _unseen(attributes: Sequence[Report]) -> list[str]:
    return [
        f"not yet seen: {attribute['name']}={'|'.join(attribute['missing'])}"
        for attribute in attributes
        if attribute["missing"]
    ]
