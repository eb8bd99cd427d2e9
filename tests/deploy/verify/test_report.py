"""A proof as text, JSON and JUnit XML says the same in each."""

import json
from xml.etree import ElementTree as ET

from loom.deploy.verify.finding import Finding, Proof, Verdict
from loom.deploy.verify.report import as_json, as_junit, as_rows, changes, summary

FOUND = Finding("metric", "loom_a", Verdict.FOUND, "1 series")
LATE = Finding("span", "loom.b/<run>", Verdict.MISSING, 'never "recorded"', "look & see", "runtime")
UNASKED = Finding("metric", "loom_c", Verdict.NOT_EXPECTED, "none")
PROOF = Proof([FOUND, LATE, UNASKED], 1.25)


def test_every_finding_has_its_row_and_the_sum_counts_them() -> None:
    assert list(as_rows(PROOF)) == [
        ("metric", "loom_a", "found", "1 series"),
        ("span", "loom.b/<run>", "missing", 'never "recorded"'),
        ("metric", "loom_c", "not expected", "none"),
    ]
    assert summary(PROOF) == "2 of 3 as expected, after 1.2 s"


def test_json_has_every_field_of_every_finding() -> None:
    document = json.loads(as_json(PROOF))
    assert (document["schema"], document["good"], document["expected"]) == (1, 2, 3)
    assert document["findings"][1] == {
        "subject": "span",
        "name": "loom.b/<run>",
        "verdict": "missing",
        "good": False,
        "detail": 'never "recorded"',
        "hint": "look & see",
        "lost_at": "runtime",
    }


def test_junit_has_a_case_a_finding_and_a_failure_for_each_bad_one() -> None:
    suite = ET.fromstring(as_junit(PROOF)).find("testsuite")  # noqa: S314 - our own text
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    [bad] = [case for case in suite if len(case)]
    assert (bad.get("classname"), bad.get("name")) == ("verify.span", "loom.b/<run>")
    [failure] = bad
    assert (failure.get("type"), failure.get("message"), failure.text) == (
        "missing",
        'never "recorded"',
        "look & see",
    )


def test_changes_name_what_turned_and_nothing_else() -> None:
    arrived = Finding("span", "loom.b/<run>", Verdict.FOUND, "3 spans")
    more = Finding("metric", "loom_a", Verdict.FOUND, "2 series")
    assert changes(PROOF.findings, [more, arrived, UNASKED]) == ["span loom.b/<run> missing → found: 3 spans"]
    assert changes(PROOF.findings, [more, arrived]) == [
        "span loom.b/<run> missing → found: 3 spans",
        "metric loom_c not expected → not asked for",
    ]
