"""One round, with fakes for the way and for time: what is counted, and what is not."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from loom.canary import letter as letters
from loom.canary.letter import Letter
from loom.canary.record import Standing
from loom.canary.round import Pace, go
from loom.contract import canary
from loom.errors import EngineError

LETTER = Letter(1_760_000_000, "nonce")


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self, *, stopped_after: float = float("inf")) -> None:
        """At zero."""
        self.now = 0.0
        self._end = stopped_after

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self._end

    def pace(self, patience: float = 60) -> Pace:
        return Pace(patience, self.pause, lambda: self.now)


@dataclass
class Way:
    """The fake of a courier: acknowledges or not, and finds what it is told to."""

    sees: Iterator[bool | Exception] = field(default_factory=lambda: iter(()))
    acknowledges: bool = True
    signal: str = "traces"

    def send(self, letter: Letter) -> bool:
        assert letter is LETTER
        return self.acknowledges

    def find(self, letter: Letter) -> bool:
        assert letter is LETTER
        seen = next(self.sees, False)
        if isinstance(seen, Exception):
            raise seen
        return seen

    def close(self) -> None: ...


def test_what_is_found_is_an_arrival_as_old_as_its_sending() -> None:
    standing, clock = Standing(), Clock()
    go(Way(iter([False, False, True])), LETTER, standing, clock.pace())
    assert (standing.attempts, standing.round_trip) == (1, 2.0)
    assert standing.last_success is not None
    assert standing.last_success > 0
    assert set(standing.failures.values()) == {0}


def test_what_is_not_found_in_time_is_a_lookup_that_failed() -> None:
    standing, clock = Standing(), Clock()
    go(Way(), LETTER, standing, clock.pace(60))
    assert clock.now == 60
    assert standing.failures == {canary.SEND: 0, canary.LOOKUP: 1}
    assert (standing.attempts, standing.last_success, standing.round_trip) == (1, None, None)


def test_what_is_not_acknowledged_is_a_sending_that_failed_and_nobody_looks_for_it() -> None:
    standing, clock = Standing(), Clock()
    go(Way(iter([AssertionError()]), acknowledges=False), LETTER, standing, clock.pace())
    assert standing.failures == {canary.SEND: 1, canary.LOOKUP: 0}
    assert (standing.attempts, clock.now) == (1, 0)


@pytest.mark.parametrize("trouble", [EngineError("away"), KeyError("data"), TypeError()])
def test_a_store_that_is_away_or_talks_nonsense_is_asked_again(trouble: Exception) -> None:
    standing, clock = Standing(), Clock()
    go(Way(iter([trouble, trouble, True])), LETTER, standing, clock.pace())
    assert standing.round_trip == 2.0


def test_an_earlier_arrival_stays_the_newest_when_a_round_fails(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    standing, clock = Standing(), Clock()
    go(Way(iter([True])), LETTER, standing, clock.pace())
    newest = standing.last_success
    go(Way(iter([EngineError("jaeger is away")] * 100)), LETTER, standing, clock.pace())
    assert standing.last_success == newest
    go(Way(iter([True])), LETTER, standing, clock.pace())
    go(Way(iter([True])), LETTER, standing, clock.pace())
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]
    assert "jaeger is away" in caplog.text


@pytest.mark.parametrize("acknowledged", [True, False])
def test_an_interrupted_round_counts_for_nothing(acknowledged: bool) -> None:  # noqa: FBT001 - a case
    standing = Standing()
    clock = Clock(stopped_after=5 if acknowledged else 0)
    go(Way(acknowledges=acknowledged), LETTER, standing, clock.pace())
    assert (standing.attempts, set(standing.failures.values())) == (0, {0})


def test_the_numbers_of_rounds_only_grow_and_their_nonces_differ() -> None:
    first = letters.write(0)
    second = letters.write(first.number)
    ahead = letters.write(1 << 40)  # the clock was set back
    assert 0 < first.number < second.number < ahead.number
    assert len({first.nonce, second.nonce, ahead.nonce}) == 3
