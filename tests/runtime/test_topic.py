"""Topics, patterns, and what is recorded of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.errors import LoomRuntimeError
from loom.runtime import topic as t

SEGMENT = st.text("abcdefghij", min_size=1, max_size=6)
TOPIC = st.lists(SEGMENT, min_size=1, max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("topic", "recorded"),
    [
        ("orders.created", "orders.created"),
        ("thread.8f3a.reply", "thread.*.reply"),
        ("thread.my-own-name.broadcast", "thread.*.broadcast"),
        ("agent.planner.replies", "agent.*.replies"),
        ("agent.planner", "agent.*"),
        ("orders.1234.created", "orders.*.created"),
        ("orders.order-1234", "orders.*"),
        ("user.0af7651916cd43dd8448eb211c80319c", "user.*"),
        ("user.123e4567-e89b-12d3-a456-426614174000.login", "user.*.login"),
        ("job.01ARZ3NDEKTSV4RRFFQ69G5FAV", "job.*"),
        ("api.v2.created", "api.v2.created"),
        ("face.cafe.created", "face.cafe.created"),
        ("thread.*", "thread.*"),
        ("*", "*"),
    ],
)
def test_ids_inside_a_topic_are_recorded_as_a_star(topic: str, recorded: str) -> None:
    assert t.generalise(topic) == recorded
    assert t.generalise(recorded) == recorded


@given(TOPIC)
def test_a_topic_is_matched_by_itself_its_prefixes_and_the_star_only(topic: str) -> None:
    assert t.matches(topic, topic)
    assert t.matches("*", topic)
    parts = topic.split(".")
    for length in range(1, len(parts)):
        assert t.matches(".".join(parts[:length]) + ".*", topic)
    assert not t.matches(f"{topic}.*", topic)
    assert not t.matches(f"{topic}x.*", topic)
    assert not t.matches("zzz.*", topic)


@given(st.text(max_size=300))
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    for check in (t.check_topic, t.check_pattern):
        try:
            check(text)
        except LoomRuntimeError as error:
            refused = error.problems
            assert len(refused) == 1
        else:
            assert text
            assert len(text) <= t.LIMIT


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a b", "a.*.b", "*.a", "a\n", "x" * 257])
def test_a_malformed_topic_is_refused(text: str) -> None:
    with pytest.raises(LoomRuntimeError):
        t.check_topic(text)


@pytest.mark.parametrize("text", ["*", "a.*", "a.b.*", "a"])
def test_a_star_may_only_end_a_pattern(text: str) -> None:
    t.check_pattern(text)
    with pytest.raises(LoomRuntimeError):
        t.check_pattern(f"{text}.*.b")
