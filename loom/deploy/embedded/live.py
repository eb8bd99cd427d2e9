"""An inspection that several threads use: the receiver's write, the page's and the command's read."""

import threading
import time
from collections.abc import Callable
from typing import Any

from loom.deploy.embedded.inspection import Inspection
from loom.deploy.embedded.report import Report
from loom.deploy.embedded.requirement import EVERYTHING, Requirement
from loom.receiver.arrival import Arrival
from loom.receiver.signals import Refusal


class Live:
    """One inspection behind a lock, with a number that grows with every arrival."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds and does not go back."""
        self._inspection = Inspection()
        self._clock = clock
        self._changed = threading.Condition()
        self._version = 0
        self._last = 0.0
        self.closed = False
        """Whether those who follow it should stop: its server is about to."""

    @property
    def version(self) -> int:
        """How much has arrived."""
        return self._version

    def take(self, arrival: Arrival) -> Refusal:
        """Hand on one metric or span."""
        with self._changed:
            self._version += 1
            self._last = self._clock()
            self._changed.notify_all()
            return self._inspection.observe(arrival, self._last)

    def report(self, requirement: Requirement = EVERYTHING, *, ended: bool = False) -> Report:
        """How things stand."""
        with self._changed:
            return self._inspection.report(requirement, now=self._clock(), ended=ended)

    def settle(self, requirement: Requirement, quiet: float, longest: float) -> None:
        """Return once nothing came for `quiet` seconds; a quarter of it when all that is required is there.

        `longest` seconds at the most. What a process sends at its end arrives before it ends; what its
        children send may come later.
        """
        begun = self._clock()
        with self._changed:
            while True:
                now = self._clock()
                report = self._inspection.report(requirement, now=now, ended=True)
                complete = not report.absent and not self._inspection.waiting
                patience = quiet / 4 if complete else quiet
                rest = min(max(begun, self._last) + patience, begun + longest) - now
                if rest <= 0:
                    return
                self._changed.wait(rest)

    def traces(self) -> list[dict[str, Any]]:
        """The latest traces, see `TraceRing.summaries`."""
        with self._changed:
            return self._inspection.summaries()

    def waterfall(self, trace_id: str) -> dict[str, Any] | None:
        """One of them with its spans; None if it is gone."""
        with self._changed:
            return self._inspection.waterfall(trace_id)
