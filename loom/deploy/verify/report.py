"""A proof for people, for programs and for CI servers: text, JSON, JUnit XML. Pure."""

import json
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from loom.deploy.verify.finding import Finding, Proof

SCHEMA = 1
"""Version of the JSON's shape: it grows only when a reader of the last one would fail."""


def as_rows(proof: Proof) -> Iterator[tuple[str, str, str, str]]:
    """Subject, name, verdict and detail of each finding."""
    for found in proof.findings:
        yield found.subject, found.name, found.verdict, found.detail


def summary(proof: Proof) -> str:
    """`71 of 71 as expected, after 4.5 s`."""
    good = len(proof.findings) - len(proof.bad)
    return f"{good} of {len(proof.findings)} as expected, after {proof.seconds:.1f} s"


def as_json(proof: Proof) -> str:
    """An object: `schema`, `good`, `expected`, `seconds`, and `findings` with every field of each."""
    document = {
        "schema": SCHEMA,
        "good": len(proof.findings) - len(proof.bad),
        "expected": len(proof.findings),
        "seconds": round(proof.seconds, 3),
        "findings": [_row(finding) for finding in proof.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_junit(proof: Proof, command: str = "verify") -> str:
    """JUnit XML of a command's findings: a test case each, those that are missing or wrong as failures."""
    suite = ET.Element(
        "testsuite",
        name=f"loom-deploy {command}",
        tests=str(len(proof.findings)),
        failures=str(len(proof.bad)),
        errors="0",
        skipped="0",
        time=f"{proof.seconds:.3f}",
    )
    for finding in proof.findings:
        case = ET.SubElement(suite, "testcase", classname=f"{command}.{finding.subject}", name=finding.name)
        if not finding.good:
            failure = ET.SubElement(case, "failure", type=str(finding.verdict), message=finding.detail)
            failure.text = finding.hint
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def changes(before: Sequence[Finding], after: Sequence[Finding]) -> list[str]:
    """A line for each finding whose verdict is another now, or that is new or gone."""
    old = {(finding.subject, finding.name): finding for finding in before}
    new = {(finding.subject, finding.name): finding for finding in after}
    return [
        _change(key, old.get(key), new.get(key))
        for key in dict.fromkeys((*old, *new))
        if _verdict(old.get(key)) != _verdict(new.get(key))
    ]


def _change(key: tuple[str, str], old: Finding | None, new: Finding | None) -> str:
    detail = f": {new.detail}" if new and new.detail else ""
    return f"{key[0]} {key[1]} {_verdict(old)} → {_verdict(new)}{detail}"


def _verdict(finding: Finding | None) -> str:
    return str(finding.verdict) if finding else "not asked for"


def _row(finding: Finding) -> dict[str, str | bool]:
    return {
        "subject": finding.subject,
        "name": finding.name,
        "verdict": str(finding.verdict),
        "good": finding.good,
        "detail": finding.detail,
        "hint": finding.hint,
        "lost_at": finding.lost_at,
    }
