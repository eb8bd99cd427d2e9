"""Service level objectives as recorded series: burn rates over several windows, and what is left of a budget.

All carry the label `slo`. A burn rate of 1 uses up the error budget in exactly the objective's window.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loom.contract.indicator import Indicator
from loom.contract.naming import Naming
from loom.contract.promql import Expression, Matcher, binary, call, scalar, select, share_of_time
from loom.contract.recording import BASE_WINDOW, LEVEL, Group, Recording
from loom.contract.resource import JOB
from loom.contract.series import Series

SLO = "slo"
"""Label: the name of the indicator."""
GROUP = "loom.slo"
WINDOWS = {"5m": 300, "30m": 1800, "1h": 3600, "2h": 7200, "6h": 21_600, "1d": 86_400, "3d": 259_200}
"""Windows of burn rates, each with its seconds."""
COUNTED = ("5m", "30m", "2h", "6h")
"""Windows whose events are counted: the shorter ones of the pairs that alerts compare."""
KNOWN = ("1h", "6h", "1d", "3d")
"""Windows of which is said how much is known, where seconds are counted: the longer ones of those pairs."""
STEP = "1m"
"""How densely the whole window of an objective is looked at: weeks of every sample would be slow to read."""
_STEM = f"{JOB}:loom_slo"


@dataclass(frozen=True, slots=True)
class Objective:
    """Which share of an indicator's events must be good, over which time."""

    indicator: Indicator
    share: float
    """0 to 1, neither of them."""
    window: str
    """As people write it, and PromQL too: `28d`."""
    period: float
    """The same in seconds."""
    floor: int
    """Events below which a share says nothing."""
    kept: float
    """Seconds that samples are kept."""

    @property
    def budget(self) -> float:
        """Share that may be bad."""
        return round(1 - self.share, 12)

    @property
    def windows(self) -> tuple[str, ...]:
        """Those of `WINDOWS` that fit into its own window, and into what is kept."""
        return tuple(name for name, seconds in WINDOWS.items() if seconds <= min(self.period, self.kept))

    @property
    def chosen(self) -> tuple[Matcher, ...]:
        """Selects its recorded series."""
        return (Matcher(SLO, "=", self.indicator.name),)

    def series(self, name: str) -> Series:
        """One of its recorded series."""
        return Series(name, (SLO, *self.indicator.labels))


def bad(objective: Objective) -> Series:
    """What went badly, per second over five minutes."""
    return objective.series(f"{_STEM}_bad:rate5m")


def total(objective: Objective) -> Series:
    """Everything that counts, per second over five minutes."""
    return objective.series(f"{_STEM}_total:rate5m")


def events(objective: Objective, window: str) -> Series:
    """How many events there were within the window."""
    return objective.series(f"{_STEM}_events:count{window}")


def known(objective: Objective, window: str) -> Series:
    """The share of the window of which anything is known, 0 to 1; where seconds are counted only."""
    return objective.series(f"{_STEM}_known:ratio{window}")


def burn(objective: Objective, window: str) -> Series:
    """How many times faster than allowed the budget is used up within the window; none without traffic."""
    return objective.series(f"{_STEM}_burn:rate{window}")


def remaining(objective: Objective) -> Series:
    """The share of the error budget that is left over the objective's own window; below 0 when overspent."""
    return objective.series(f"{_STEM}_budget:remaining")


FAMILIES = tuple(
    Series(name, (SLO, *LEVEL))
    for name in (
        f"{_STEM}_bad:rate5m",
        f"{_STEM}_total:rate5m",
        *(f"{_STEM}_events:count{window}" for window in COUNTED),
        *(f"{_STEM}_known:ratio{window}" for window in KNOWN),
        *(f"{_STEM}_burn:rate{window}" for window in WINDOWS),
        f"{_STEM}_budget:remaining",
    )
)
"""Each recorded series once, with the labels that most objectives have."""


def group(naming: Naming, objectives: Sequence[Objective]) -> Group:
    """All recording rules of the objectives, in the order in which they read one another."""
    return Group(GROUP, tuple(rule for objective in objectives for rule in recordings(naming, objective)))


def recordings(naming: Naming, objective: Objective) -> tuple[Recording, ...]:
    """The rules of one objective."""
    measured, labels = objective.indicator.events(naming), ((SLO, objective.indicator.name),)
    timed = objective.indicator.timed
    windows = [window for window in (KNOWN if timed else COUNTED) if window in objective.windows]
    said, amount = (known, _known) if timed else (events, _events)
    left = binary(scalar(1), "-", _burn(objective, f"{objective.window}:{STEP}"))
    rates = (
        Recording(burn(objective, window), _burn(objective, window), labels) for window in objective.windows
    )
    return (
        Recording(bad(objective), measured.bad, labels),
        Recording(total(objective), measured.total, labels),
        *(Recording(said(objective, window), amount(objective, window), labels) for window in windows),
        *rates,
        Recording(remaining(objective), left, labels),
    )


def _events(objective: Objective, window: str) -> Expression:
    mean = call("avg_over_time", select(total(objective), objective.chosen, window))
    source = select(total(objective), objective.chosen) if window == BASE_WINDOW else mean
    return binary(source, "*", scalar(WINDOWS[window]))


def _known(objective: Objective, window: str) -> Expression:
    return share_of_time(select(total(objective), objective.chosen), window, STEP)


def _burn(objective: Objective, window: str) -> Expression:
    part, whole = (_sum(objective, series(objective), window) for series in (bad, total))
    share = binary(part, "/", binary(whole, ">", scalar(0)))
    return binary(share, "/", scalar(objective.budget))


def _sum(objective: Objective, series: Series, window: str) -> Expression:
    if window == BASE_WINDOW and not objective.indicator.timed:
        return select(series, objective.chosen)  # a rate over just this window already
    # Sums, not averages of ratios: every event weighs the same, whenever it happened.
    return call("sum_over_time", select(series, objective.chosen, window))
