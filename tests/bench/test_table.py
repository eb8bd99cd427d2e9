"""The benchmark's verdicts: what is broken, void or not measured at all ends with 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.table import Gate, Row, exit_code, render

FAST = Gate("fast", "fast / slow", 0.5)
SHORT = Gate("long", "long / short", most=6.0)
ALL = Gate("arrived", "arrived / sent", 1.0, judge=min)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Row(FAST, [0.4, 0.5, 0.9]), 0),
        (Row(FAST, [0.4, 0.49, 0.9]), 1),
        (Row(SHORT, [6.0]), 0),
        (Row(SHORT, [6.1]), 1),
        (Row(ALL, [1.0, 1.0, 1.0]), 0),
        (Row(ALL, [1.0, 0.999, 1.0]), 1),
        (Row(FAST, [9.0], "63 events instead of 64"), 1),
        (Row(FAST, []), 1),
        (Row(FAST, [float("nan")]), 1),
        (Row(FAST, [1.0, float("nan"), 1.0]), 1),
        (Row(SHORT, [float("nan"), 1.0, 1.0]), 1),
        (Row(FAST, [], skipped="there is no Docker"), 0),
    ],
)
def test_a_broken_gate_or_a_void_run_ends_with_one(row: Row, code: int) -> None:
    assert exit_code([Row(FAST, [1.0]), row]) == code
    assert exit_code([row, Row(FAST, [1.0])]) == code


@pytest.mark.parametrize("rows", [[], [Row(FAST, [], skipped="there is no Docker")]])
def test_a_table_in_which_nothing_was_run_proves_nothing(rows: list[Row]) -> None:
    assert exit_code(rows) == 1


def test_what_is_not_run_says_why_and_is_not_counted_as_kept() -> None:
    text = render([Row(FAST, [1.0]), Row(SHORT, [], skipped="there is no Docker")])
    assert "not run: there is no Docker" in text
    assert text.endswith("1 of 1 gates kept, 1 not run")


def test_a_row_says_what_is_compared_and_by_which_gate() -> None:
    line = render([Row(SHORT, [7.0], note="3 µs")]).splitlines()[1]
    assert not {part for part in ("long", "long / short", "≤ 6", "BROKEN", "3 µs") if part not in line}


@given(st.lists(st.floats(0.01, 10), min_size=1), st.text("abc", max_size=5))
def test_the_table_says_what_the_exit_code_says(ratios: list[float], void: str) -> None:
    rows = [Row(FAST, ratios, void), Row(SHORT, [1.0])]
    text = render(rows)
    assert ("2 of 2 gates kept" in text) == (exit_code(rows) == 0)
    assert ("VOID" in text) == bool(void)
