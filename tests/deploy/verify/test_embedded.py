"""The receiver's own report, read as findings."""

from typing import Any

import pytest

from loom.contract import metrics as m
from loom.contract import scopes
from loom.contract import spans as s
from loom.deploy.embedded import Inspection, document
from loom.deploy.embedded.report import State
from loom.deploy.embedded.requirement import EVERYTHING
from loom.deploy.verify.embedded import _VERDICTS, judge_report
from loom.deploy.verify.finding import Verdict
from loom.deploy.verify.journey import Stage


@pytest.fixture
def nothing() -> dict[str, Any]:
    """The report of a receiver that has received nothing."""
    return document(Inspection().report(EVERYTHING, now=0.0, ended=False))


def row(report: dict[str, Any], subject: str, name: str) -> dict[str, Any]:
    [found] = [one for one in report[f"{subject}s"] if name in {one.get("name"), one.get("key")}]
    return dict(found)


def test_every_state_of_a_row_has_a_verdict() -> None:
    assert {State(state) for state in _VERDICTS} == set(State)


def test_of_silence_everything_is_missing_before_the_receiver(nothing: dict[str, Any]) -> None:
    findings = judge_report(nothing)
    bad = {finding.name: finding for finding in findings if not finding.good}
    assert set(bad) >= {metric.name for metric in m.ALL if metric.scope == scopes.ROUTER}
    assert set(bad) >= {span.key for span in s.ALL}
    assert bad["receiver"].hint
    assert {finding.lost_at for finding in bad.values() if finding.subject != "target"} == {Stage.SDK}


def test_only_the_components_asked_for_are_judged_and_telemetrys_own(nothing: dict[str, Any]) -> None:
    names = {finding.name for finding in judge_report(nothing, [scopes.ROUTER])}
    wanted = {scopes.ROUTER, scopes.TELEMETRY}
    assert names == {
        "receiver",
        *(metric.name for metric in m.ALL if metric.scope in wanted),
        *(span.key for span in s.ALL if span.scope in wanted),
    }


def test_what_arrives_is_found_and_says_which_values_are_left(nothing: dict[str, Any]) -> None:
    name = m.router.DECISIONS.name
    attributes = [{"name": "route", "missing": ["Drop", "Defer"]}, {"name": "reason", "missing": []}]
    seen = {**row(nothing, "metric", name), "state": "partly seen", "series": 3, "attributes": attributes}
    report = {**nothing, "points": 3, "metrics": [seen], "spans": []}
    [finding] = [one for one in judge_report(report) if one.name == name]
    assert (finding.verdict, finding.detail) == (Verdict.FOUND, "3 series; not yet seen: route=Drop|Defer")


def test_what_is_not_as_the_contract_says_is_wrong_in_the_receivers_words(nothing: dict[str, Any]) -> None:
    name = m.router.DECISIONS.name
    wrong = {**row(nothing, "metric", name), "state": "seen", "faults": 1}
    told = {"message": f"{name} has the unit ms", "hint": "it is 1"}
    report = {**nothing, "points": 1, "metrics": [wrong], "spans": [], "problems": [told]}
    [finding] = [one for one in judge_report(report) if one.name == name]
    assert (finding.verdict, finding.detail, finding.hint) == (Verdict.WRONG, told["message"], told["hint"])
    # Others were heard: what is missing now was never recorded.
    [absent] = judge_report({**report, "metrics": [row(nothing, "metric", name)]})[1:]
    assert absent.lost_at == Stage.RUNTIME
