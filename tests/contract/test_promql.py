"""PromQL from objects: the text parses, and labels are checked while it is built."""

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract import promql as p
from loom.contract.promql import Expression, Matcher
from loom.contract.series import Series

LEFT = Series("left", ("job", "topic"))
RIGHT = Series("right", ("job", "topic"))


def _leaf() -> st.SearchStrategy[Expression]:
    matchers = st.lists(
        st.builds(Matcher, st.just("topic"), st.sampled_from(["=", "!="]), st.text(max_size=8)), max_size=2
    )
    return st.one_of(
        st.builds(p.select, st.sampled_from([LEFT, RIGHT]), matchers),
        st.builds(p.scalar, st.floats(0, 1e9, allow_nan=False)).map(
            lambda number: p.binary(p.select(LEFT), "*", number)
        ),
        st.builds(p.vector, st.floats(0, 10, allow_nan=False)),
    )


def _grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(p.binary, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds(p.either, inner, inner),
        st.builds(p.unless, inner, inner),
        st.builds(p.both, inner, inner),
        st.builds(lambda one: p.aggregate("sum", one), inner),
        st.builds(lambda one: p.above(one, 1.5), inner),
    )


@given(st.recursive(_leaf(), _grown, max_leaves=6))
def test_whatever_is_built_parses(expression: Expression) -> None:
    assert promql_parser.parse(str(expression)) is not None


def test_a_selector_for_a_label_that_the_series_does_not_carry_is_refused() -> None:
    with pytest.raises(p.LabelError, match="carries no label tpoic"):
        p.select(LEFT, [Matcher("tpoic", "=", "x")])


def test_grouping_by_a_label_that_is_gone_is_refused() -> None:
    total = p.aggregate("sum", p.select(LEFT), by=("job",))
    with pytest.raises(p.LabelError, match="topic"):
        p.aggregate("sum", total, by=("topic",))


def test_and_keeps_the_labels_of_its_left_side_only() -> None:
    total = p.aggregate("sum", p.select(RIGHT), by=("job",))
    kept = p.both(p.select(LEFT), total, on=("job",))
    assert kept.labels == {"job", "topic"}
    assert str(kept) == "left and on (job) sum by (job) (right)"
    assert p.unless(total, p.select(LEFT)).labels == {"job"}


def test_absent_carries_the_labels_of_its_equality_matchers() -> None:
    missing = p.absent(LEFT, (Matcher("job", "=", "x"), Matcher("topic", "=~", "y|z")))
    assert missing.labels == {"job"}
    assert str(missing) == 'absent(left{job="x",topic=~"y|z"})'


def test_a_quote_in_a_value_is_escaped() -> None:
    text = str(p.select(LEFT, [Matcher("topic", "=", 'a"b\\c')]))
    assert promql_parser.parse(text) is not None
    assert text == 'left{topic="a\\"b\\\\c"}'
