"""Events, envelopes, and their way into another process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.errors import LoomRuntimeError
from loom.runtime import Coordination, Envelope, Event, Qos

TEXT = st.text(max_size=10)
COORDINATION = st.builds(
    Coordination,
    thread_id=TEXT,
    correlation_id=TEXT,
    sender=TEXT,
    reply_to=TEXT,
    ttl=st.integers(0, 16),
    hops=st.integers(0, 1000),
    expires_at=st.none() | st.floats(0, 1e12),
)


def test_events_have_ids_that_differ() -> None:
    assert len({Event("x").id for _ in range(1000)}) == 1000
    assert Event("x", id="mine").id == "mine"


def test_neither_an_event_nor_an_envelope_shows_its_payload() -> None:
    event = Event("login", {"password": "secret"})
    assert "secret" not in repr(event)
    assert "secret" not in repr(Envelope("users", event))


def test_an_event_that_says_nothing_starts_a_thread_of_its_own() -> None:
    envelope = Envelope("orders", Event("order", id="e1"))
    assert envelope.thread_id == "e1"
    assert envelope.correlation_id == "e1"
    assert envelope.reply_to == "thread.e1.reply"


def test_an_answer_stays_in_the_thread_and_is_one_hop_further() -> None:
    envelope = Envelope("orders", Event("order", id="e1"), coordination=Coordination(ttl=2, reply_to="back"))
    answer = Envelope("back", Event("done", id="e2"), coordination=envelope.answer("planner"))
    assert (answer.thread_id, answer.correlation_id, answer.coordination.sender) == ("e1", "e1", "planner")
    assert (answer.coordination.ttl, answer.coordination.hops) == (1, 1)
    assert not answer.coordination.expired(0)
    assert answer.answer().expired(0)
    assert answer.answer().next_hop().ttl == 0


@given(COORDINATION)
def test_headers_bring_an_envelope_unchanged_into_another_process(coordination: Coordination) -> None:
    sent = Envelope("orders", Event("order"), Qos.BACKGROUND, coordination=coordination)
    arrived = Envelope.from_headers("orders", sent.event, sent.to_headers(), Qos.BACKGROUND)
    assert arrived.coordination == Coordination(
        sent.thread_id,
        coordination.correlation_id,
        coordination.sender,
        coordination.reply_to,
        coordination.ttl,
        coordination.hops,
        coordination.expires_at,
    )


def test_headers_never_give_an_event_more_hops_than_a_new_one_has() -> None:
    assert Envelope.from_headers("x", Event("y"), {"ttl": "999999"}).coordination.ttl == 16


def test_all_malformed_headers_are_told_at_once() -> None:
    with pytest.raises(LoomRuntimeError) as refused:
        Envelope.from_headers("x", Event("y"), {"ttl": "-1", "hops": "many", "expires_at": "nan"})
    assert len(refused.value.problems) == 3
