"""One round of one signal: send, then look until it is found or the time is over."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from time import monotonic, time
from typing import NamedTuple

from loom.canary.letter import Courier, Letter
from loom.canary.record import Standing
from loom.contract import canary
from loom.errors import EngineError

logger = logging.getLogger("loom.canary")

_MOST_LOOKS = 60
"""Looks in a round: enough for a round trip by the second, and little work for the stores."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Time, and how it passes."""

    patience: float
    """Seconds after which what was not found is missing."""
    pause: Callable[[float], bool]
    """Waits at most so many seconds; true when the canary is to stop."""
    clock: Callable[[], float] = monotonic

    @classmethod
    def until(cls, stop: Event, patience: float) -> "Pace":
        """Real time, until `stop` is set."""
        return cls(patience, stop.wait)


class Missing(NamedTuple):
    """A letter that did not arrive."""

    stage: str
    """One of the contract's."""
    reason: str


def go(courier: Courier, letter: Letter, standing: Standing, pace: Pace) -> None:
    """One round, counted in `standing`; one that was interrupted counts for nothing."""
    began, sent_at = pace.clock(), time()
    try:
        missing = _deliver(courier, letter, pace, began)
    except InterruptedError:
        return
    if missing:
        _fail(courier.signal, standing, missing)
    else:
        _succeed(courier.signal, standing, sent_at, pace.clock() - began)


def _deliver(courier: Courier, letter: Letter, pace: Pace, began: float) -> Missing | None:
    """None once it is found; InterruptedError when the canary is to stop before."""
    if not courier.send(letter):
        if pace.pause(0):
            raise InterruptedError
        return Missing(canary.SEND, "the ingress did not acknowledge it")
    step = max(1.0, pace.patience / _MOST_LOOKS)
    while reason := _look(courier, letter):
        left = pace.patience - (pace.clock() - began)
        if left <= 0:
            return Missing(canary.LOOKUP, reason)
        if pace.pause(min(step, left)):
            raise InterruptedError
    return None


def _look(courier: Courier, letter: Letter) -> str:
    """Why it is not found; empty when it is."""
    try:
        return "" if courier.find(letter) else "the store does not have it"
    except EngineError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a store answers, the next look must still be taken
        return f"the store's answer makes no sense: {type(error).__name__}"


def _succeed(signal: str, standing: Standing, sent_at: float, took: float) -> None:
    standing.round_trip, standing.last_success = took, sent_at
    standing.attempts += 1
    if not standing.arriving:
        logger.info("%s arrive: found after %.1f s", signal, took)
    standing.arriving = True


def _fail(signal: str, standing: Standing, missing: Missing) -> None:
    standing.attempts += 1
    standing.failures = {**standing.failures, missing.stage: standing.failures[missing.stage] + 1}
    standing.arriving = False
    logger.warning("%s did not arrive (%s): %s", signal, missing.stage, missing.reason)
