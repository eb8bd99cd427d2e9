"""What an installation tells while it runs: data; showing it is the command line's business."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a program's installation stands."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    COMPILING = "compiling"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """One program, now."""

    program: str
    phase: Phase
    elapsed: float
    """Seconds since its installation began."""
    estimate: float
    """Seconds its installation takes altogether, as far as can be told now; 0 when unknown."""
    detail: str = ""
    """Such as `412/1180 packages`."""
    done: int = 0
    """Packages or modules of this phase that were begun."""
    total: int = 0
    """The same, altogether; 0 when unknown."""


Report = Callable[[Progress], None]
"""Takes every change; called often, from the thread that installs."""


def remaining(measured: float, spent: float, done: int, total: int) -> float:
    """Seconds that a phase still takes: what was once `measured` for it, corrected by its pace so far.

    `spent` are the seconds of this phase until now. At its beginning the answer is the measured time, towards
    its end it is this machine's own pace.
    """
    if not total:
        return max(measured - spent, 0.0)
    left = 1 - min(done, total) / total
    return left * (left * measured + spent)
