"""`defects.md` leaves no defect of the original out, and no test that it names is missing."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
TABLES = Path(__file__).with_name("defects.md")
HEADINGS = ("Runtime", "Deployment, documents and benchmarks", "Bad input")

NUMBERED = {
    "0": 6,
    "1.1": 6,
    "1.2": 9,
    "1.2b": 4,
    "1.3": 5,
    "1.4": 3,
    "1.5": 5,
    "1.6": 6,
    "1.7": 5,
    "1.7b": 1,
    "1.8": 8,
    "2": 16,
    "3.1": 2,
    "3.2": 8,
    "3.3": 9,
    "3.4": 5,
    "3.5": 11,
    "3.6": 17,
    "3.7": 11,
    "3.8": 8,
    "4": 10,
    "5": 38,
}
"""Section of the notes on the original → defects in it."""

BAD_INPUT = (
    "malformed MCP configuration",
    "command not found",
    "server that answers garbage",
    "server that hangs",
    "server that floods stderr",
    "server that dies in mid-call",
    "server that lists two tools of one name",
    "server that returns 50 MB",
    "model endpoint that is down",
    "model endpoint that is slow",
    "model endpoint that answers 429",
    "model endpoint that answers 500",
    "model endpoint that answers broken JSON",
    "model that asks for an unknown tool",
    "model with endless tool calls",
    "payloads that are not JSON",
    "capability version that does not exist",
)


class Row(NamedTuple):
    """A line of a table."""

    subject: str
    """The number of a defect, or a bad input."""
    words: str
    tests: tuple[str, ...]
    """As pytest names them, from the root of the repository."""


def rows(heading: str) -> list[Row]:
    """The table below a heading."""
    _, _, text = TABLES.read_text().partition(f"## {heading}\n")
    lines = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return [Row(subject, words, tuple(re.findall(r"`([^`]+)`", tests))) for subject, words, tests in cells]


@cache
def names(path: Path) -> frozenset[str]:
    """Every test of a file: functions, classes, and what is assigned, as a state machine's `TestCase` is."""
    return frozenset(_names(ast.parse(path.read_text()).body))


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from (f"{node.name}::{name}" for name in _names(node.body))
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def named() -> list[str]:
    return sorted({test for heading in HEADINGS for row in rows(heading) for test in row.tests})


@pytest.mark.parametrize("test", named(), ids=str)
def test_a_test_that_is_named_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file()
    assert name.lower().startswith("test")
    assert name in names(ROOT / path)


def test_every_row_names_a_test_and_says_something() -> None:
    for heading in HEADINGS:
        for row in rows(heading):
            assert row.tests, row.subject
            assert row.words, row.subject


def test_every_numbered_defect_is_listed_once() -> None:
    listed = Counter(row.subject for heading in HEADINGS[:2] for row in rows(heading))
    numbered = {f"{section}.{number}" for section, most in NUMBERED.items() for number in range(1, most + 1)}
    assert listed == Counter(numbered)


def test_a_defect_of_the_deployment_is_caught_by_a_test_of_the_deployment() -> None:
    for row in rows(HEADINGS[1]):
        assert all(test.startswith(("tests/deploy/", "tests/bench/")) for test in row.tests), row.subject
    for row in rows(HEADINGS[0]):
        assert not any(test.startswith("tests/deploy/") for test in row.tests), row.subject


def test_every_bad_input_has_its_test() -> None:
    assert tuple(row.subject for row in rows(HEADINGS[2])) == BAD_INPUT
