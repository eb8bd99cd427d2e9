"""How fast a budget may burn over which windows, and the scenes that prove an alert on it.

What was recorded is the input of the scenes, so that they can say of each window what it shows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loom.contract.objective import SLO, WINDOWS, Objective, burn, events, known
from loom.deploy.artifacts.rules.course import held
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import BEYOND, SHORT

TOTAL_FAILURE = 0.9
"""Share of failures at which a burn is always too fast: with a lax objective it is never many times 1."""
FAR = 3.0
"""Far beyond a limit."""
KNOWN = 0.5
"""Share of the long window of which something must be known, where seconds are counted."""
Act = Mapping[str, float]
"""Window → burn rate, in multiples of the factor of its pair."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A long and a short window, and the share of the budget that may be gone after the long one."""

    long: str
    short: str
    budget: float

    def factor(self, objective: Objective) -> float:
        """How many times faster than allowed; at least once, or the budget would not even be overspent."""
        factor = self.budget * objective.period / WINDOWS[self.long]
        return max(1.0, round(min(factor, TOTAL_FAILURE / objective.budget), 6))


PAGE = (Pair("1h", "5m", 0.02), Pair("6h", "30m", 0.05))
TICKET = (Pair("1d", "2h", 0.1), Pair("3d", "6h", 0.1))


@dataclass(frozen=True, slots=True)
class Burning:
    """An alert on one objective."""

    objective: Objective
    pairs: tuple[Pair, ...]
    hold: int
    """Minutes."""

    def proof(self) -> Proof:
        """Each pair alone makes it fire; no pair does with one of its windows only, or too few events."""
        alone = tuple(
            self._scene(Kind.FIRES, f"burning over {pair.long} only", [self._act(), self._act(pair)], pair)
            for pair in self.pairs
        )
        halves = [self._act(pair, *rates) for pair in self.pairs for rates in ((FAR, SHORT), (SHORT, FAR))]
        over = self._scene(Kind.QUIET, "over already, or only just begun", [self._act(), *halves])
        return Proof((*alone, over), tuple(self._scarce(pair) for pair in self.pairs))

    def _act(self, pair: Pair | None = None, long: float = BEYOND, short: float = BEYOND) -> Act:
        """Everything just short of its factor, but one pair."""
        calm = {window: SHORT for each in self.pairs for window in (each.long, each.short)}
        return {**calm, pair.long: long, pair.short: short} if pair else calm

    def _scarce(self, pair: Pair) -> Scene:
        timed = self.objective.indicator.timed
        about = "little is known, and all of it bad," if timed else "all of next to nothing fails"
        return self._scene(Kind.LITTLE, f"{about} over {pair.long}", [self._act(pair, FAR, FAR)], pair, SHORT)

    def _scene(
        self, kind: Kind, about: str, acts: list[Act], pair: Pair | None = None, enough: float = BEYOND
    ) -> Scene:
        """One act after the other; so many times what is enough where the pair looks, else plenty."""
        length = self.hold + 5
        course = [rates for rates in acts for _ in range(length)]
        ends = range(length - 1, len(course), length)
        counts = {each.short: enough if each == pair else FAR for each in self.pairs}

        def truth(minute: int) -> bool:
            return any(self._burns(each, course[minute], counts) for each in self.pairs)

        inputs = tuple(self._ours(course, counts)) + tuple(self._others(len(course)))
        return play(kind, about, inputs, Stage(truth, self.hold, len(course) - 1), *ends)

    def _burns(self, pair: Pair, rates: Act, counts: Mapping[str, float]) -> bool:
        return counts[pair.short] >= 1 and rates[pair.long] > 1 and rates[pair.short] > 1

    def _ours(self, course: list[Act], counts: Mapping[str, float]) -> Iterator[Input]:
        labels = self._labels(self.objective.indicator.name)
        for pair in self.pairs:
            factor = pair.factor(self.objective)
            for window in (pair.long, pair.short):
                rates = held(*((act[window] * factor, 1) for act in course))
                yield Input(burn(self.objective, window), rates, labels)
            yield self._amount(pair, counts[pair.short], len(course), labels)

    def _others(self, length: int) -> Iterator[Input]:
        """Another objective, whose budget burns all the time."""
        labels, high = self._labels("another"), held((1000.0, length))
        for pair in self.pairs:
            yield from (
                Input(burn(self.objective, window), high, labels) for window in (pair.long, pair.short)
            )
            yield self._amount(pair, FAR, length, labels)

    def _amount(self, pair: Pair, times: float, length: int, labels: Mapping[str, str]) -> Input:
        """So many times what is enough: of events, or of the time of which something is known."""
        if self.objective.indicator.timed:
            return Input(known(self.objective, pair.long), held((min(1.0, KNOWN * times), length)), labels)
        count = self.objective.floor * times
        return Input(events(self.objective, pair.short), held((count, length)), labels)

    def _labels(self, name: str) -> dict[str, str]:
        signal = {"signal": "traces"} if "signal" in self.objective.indicator.labels else {}
        return {SLO: name, **signal}
