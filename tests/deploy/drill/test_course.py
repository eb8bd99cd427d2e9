"""What makes a row of the drill complete: the right alert, seen from the beginning of its cause on."""

import pytest

from loom.deploy.drill.cause import Proof
from loom.deploy.drill.course import Row
from loom.deploy.drill.receiver import Notice

LABELS = {"alertname": "A", "job": "mine"}


@pytest.fixture
def row() -> Row:
    return Row("A", "something", Proof.WHOLE, {"job": "mine"}, began=100.0)


def notice(at: float, *, firing: bool, **labels: str) -> Notice:
    return Notice(at, {**LABELS, **labels}, firing)


def test_fires_arrives_and_is_over(row: Row) -> None:
    row.look(101.0, [LABELS], [], [])
    assert (row.fired, row.provoked) == (1.0, False)
    row.look(103.0, [LABELS], [], [notice(102.5, firing=True)])
    assert (row.delivered, row.provoked, row.complete) == (2.5, True, False)
    row.ended = 104.0
    row.look(105.0, [], [], [notice(102.5, firing=True)])
    assert not row.complete  # nobody was told that it is over
    row.look(106.0, [], [], [notice(102.5, firing=True), notice(105.5, firing=False)])
    assert (row.resolved, row.complete) == (2.0, True)


def test_neither_another_alert_nor_another_job_nor_an_old_message_counts(row: Row) -> None:
    others = [
        notice(99.0, firing=True),
        notice(101.0, firing=True, job="other"),
        Notice(101.0, {"alertname": "B"}, firing=True),
    ]
    row.look(102.0, [{"alertname": "A", "job": "other"}, {"alertname": "B", "job": "mine"}], [], others)
    assert (row.fired, row.delivered) == (None, None)


def test_it_is_over_only_when_every_one_that_was_told_of_is(row: Row) -> None:
    told = [notice(101.0, firing=True, x="1"), notice(101.0, firing=True, x="2")]
    row.look(101.5, [LABELS], [], told)
    row.ended = 102.0
    row.look(103.0, [], [], [*told, notice(102.5, firing=False, x="1")])
    assert not row.complete
    row.look(104.0, [], [], [*told, notice(102.5, firing=False, x="1"), notice(103.5, firing=False, x="2")])
    assert row.complete


def test_what_still_fires_is_not_over_whatever_was_told(row: Row) -> None:
    row.look(101.0, [LABELS], [], [notice(101.0, firing=True)])
    row.ended = 102.0
    row.look(103.0, [LABELS], [], [notice(101.0, firing=True), notice(102.5, firing=False)])
    assert not row.complete


@pytest.mark.parametrize(
    ("proof", "provoked"),
    [
        (Proof.WHOLE, False),
        (Proof.SILENCED, False),
        (Proof.UNHEARD, True),
        (Proof.LATE, True),
        (Proof.ENDLESS, False),
    ],
)
def test_firing_alone_is_enough_for_what_cannot_be_told(row: Row, proof: Proof, provoked: bool) -> None:  # noqa: FBT001 - a case
    row.proof = proof
    row.look(101.0, [LABELS], [], [])
    assert row.provoked is provoked


def test_what_is_silenced_by_design_must_be_seen_to_be_so(row: Row) -> None:
    row.proof = Proof.SILENCED
    row.look(101.0, [LABELS], [LABELS], [])
    assert row.provoked
    row.ended = 102.0
    row.look(103.0, [], [], [])
    assert row.complete


def test_the_heartbeat_must_come_again_and_again(row: Row) -> None:
    row.proof = Proof.ENDLESS
    row.look(101.0, [LABELS], [], [notice(101.0, firing=True)])
    assert not row.complete
    row.look(102.0, [LABELS], [], [notice(101.0 + number, firing=True) for number in range(3)])
    assert row.complete
