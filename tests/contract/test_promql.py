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


def test_what_was_is_a_selector_with_an_offset() -> None:
    chosen = p.select(LEFT, [Matcher("topic", "=", "x")], offset="15m")
    assert str(p.unless(p.select(LEFT), chosen)) == 'left unless left{topic="x"} offset 15m'


def test_what_occurred_is_all_of_a_young_series_and_the_growth_of_an_old_one() -> None:
    queries = p.Queries(matchers=(Matcher("topic", "=", "x"),), window="15m")
    found = queries.occurred_of(LEFT, ("job",))
    young = '(left{topic="x"} unless left offset 15m)'
    assert str(found) == f'sum by (job) ({young} or increase(left{{topic="x"}}[15m]))'
    assert found.labels == {"job"}
    assert found.series == {LEFT}
    with pytest.raises(p.LabelError):
        queries.occurred_of(LEFT, ("qos",))


def test_a_share_of_time_divides_steps_by_steps() -> None:
    total = p.binary(p.select(LEFT), "+", p.select(RIGHT))
    share = p.share_of_time(total, "1h", "1m")
    every = "scalar(count_over_time(vector(1)[1h:1m]))"
    assert str(share) == f"count_over_time((left + right)[1h:1m]) / {every}"
    assert share.labels == {"job", "topic"}
    assert promql_parser.parse(str(share)) is not None


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
