"""The proofs that many alerts share: a share of two counters, a counter that grows, a level that is passed.

Each has scenes just beyond the limit and just short of it, and one in which everything comes and goes, whose
edges are where they are because of each window and of the time that the condition must hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor

from loom.deploy.artifacts.rules.course import GONE, GRAIN, START, Course, counted, held, minutes
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, Unmetered, play

BEYOND, SHORT = 1.1, 0.9
"""Just beyond a limit, and just short of it."""
COUNTED = Unmetered("It counts what happened and compares no shares: one that counts is no doubtful figure.")
STATED = Unmetered("It is about a state, which does not become doubtful when little happens.")
_MANY = 8
"""So many times a limit are a lot."""
_AMPLE = 60.0
"""Events a minute that are traffic enough for any share."""


@dataclass(frozen=True, slots=True)
class Share:
    """An alert on the share of a counter that failed."""

    limit: float
    window: str
    hold: str
    floor: float
    """Events in the window that must be exceeded."""
    inputs: Callable[[Course, Course], tuple[Input, ...]]
    """The series, from those that failed and the rest."""
    of_failed: bool = False
    """Whether the floor is on those that failed, not on all."""

    def proof(self) -> Proof:
        """Just above, just below, coming and going; and as good as no traffic, all of which fails."""
        span = minutes(self.window)
        single = self.floor / span
        scarce = (single / self.limit if self.of_failed else single) * BEYOND
        return Proof(
            (
                self._steady(Kind.FIRES, "just above share and floor", scarce, self.limit * BEYOND),
                self._step(),
                self._steady(Kind.QUIET, "just below the share", max(_AMPLE, 3 * scarce), self.limit * SHORT),
                self._steady(Kind.QUIET, "without a failure", _AMPLE, 0.0),
            ),
            (self._steady(Kind.LITTLE, "all of next to nothing fails", single * SHORT, 1.0),),
        )

    def _steady(self, kind: Kind, about: str, pace: float, share: float) -> Scene:
        last = minutes(self.window) + minutes(self.hold) + 2
        part, rest = counted((pace * share, last)), counted((pace * (1 - share), last))
        stage = Stage(self._truth(part, rest), minutes(self.hold), last)
        return play(kind, about, self.inputs(part, rest), stage)

    def _step(self) -> Scene:
        """Good traffic, then failures only, then good traffic: so much that the limit is passed midway."""
        span, hold = minutes(self.window), minutes(self.hold)
        # Seven percent more, so that no minute lies on the limit exactly.
        good = 1.07 * _AMPLE * (1 - self.limit) / self.limit
        before, during = 2 * span, span + hold + 4
        part = counted((0, before), (_AMPLE, during), (0, before))
        rest = counted((good, before), (0, during), (good, before))
        stage = Stage(self._truth(part, rest), hold, len(part) - 1)
        return play(Kind.FIRES, "failures come and go", self.inputs(part, rest), stage, before)

    def _truth(self, part: Course, rest: Course) -> Callable[[int], bool]:
        span = minutes(self.window)

        def hold_at(minute: int) -> bool:
            failed, fine = part.grown(minute, span), rest.grown(minute, span)
            counted_on = part if self.of_failed else part + rest
            enough = counted_on.increase(minute, span) > self.floor
            return enough and failed > self.limit * (failed + fine)

        return hold_at


@dataclass(frozen=True, slots=True)
class Growth:
    """An alert on a counter that grew by more than a limit within a window."""

    limit: float
    window: str
    hold: str
    inputs: Callable[[Course], tuple[Input, ...]]
    born: bool = False
    """Whether the series is not there before the first time, so that its first value counts too."""

    def proof(self) -> Proof:
        """Just enough, a burst and its end, just too little; and, where that counts, a first value."""
        span = minutes(self.window)
        # Any growth at all is beyond 0: the least that can be told from a limit of 1.
        enough = self.limit * BEYOND if self.limit else SHORT
        return Proof(
            (
                self._steady(Kind.FIRES, "just enough", enough / span),
                self._burst(),
                self._steady(Kind.QUIET, "just too little", self.limit * SHORT / span),
                *(self._births() if self.born else ()),
            ),
            COUNTED,
        )

    def _births(self) -> Iterator[Scene]:
        lasting = 2 * minutes(self.window) + minutes(self.hold)
        much, little = max(1.0, _MANY * self.limit), self.limit * SHORT
        about = "its series begins with {} of it"
        yield self._scene(Kind.FIRES, about.format("a lot"), held((GONE, 3), (much, lasting)))
        if little:
            yield self._scene(Kind.QUIET, about.format("too little"), held((GONE, 3), (little, lasting)))

    def _steady(self, kind: Kind, about: str, pace: float) -> Scene:
        last = minutes(self.window) + minutes(self.hold) + 2
        return self._scene(kind, about, self._counted((self._grained(kind, pace), last)))

    def _grained(self, kind: Kind, pace: float) -> float:
        """In whole grains: over a long window the nearest number of them may lie beyond the limit."""
        span, fires = minutes(self.window), kind is Kind.FIRES
        nearest = round(pace * GRAIN) / GRAIN
        right = nearest * span > self.limit if fires else nearest * span < self.limit
        return nearest if right else (ceil if fires else floor)(pace * GRAIN) / GRAIN

    def _burst(self) -> Scene:
        span, hold = minutes(self.window), minutes(self.hold)
        growing = max(3, hold - span + 4)
        return self._scene(
            Kind.FIRES,
            "it comes and goes",
            self._counted((0, span), (self.limit + 1, growing), (0, 2 * span + hold)),
        )

    def _counted(self, *stretches: tuple[float, int]) -> Course:
        # One that begins with more than nothing is one that begins with what it counts.
        return counted(*stretches, start=0.0 if self.born else START)

    def _scene(self, kind: Kind, about: str, course: Course) -> Scene:
        span = minutes(self.window)

        def truth(minute: int) -> bool:
            happened = course.occurred if self.born else course.increase
            return happened(minute, span) > self.limit

        return play(kind, about, self.inputs(course), Stage(truth, minutes(self.hold), len(course) - 1))


@dataclass(frozen=True, slots=True)
class Level:
    """An alert on a value that is wrong at once."""

    calm: float
    wrong: float
    """Just beyond the limit."""
    near: float
    """Just short of it."""
    hold: str
    inputs: Callable[[Course], tuple[Input, ...]]

    def proof(self) -> Proof:
        """It goes wrong and recovers; it is nearly wrong all the time."""
        hold = minutes(self.hold)
        coming = held((self.calm, 10), (self.wrong, hold + 5), (self.calm, 10))
        nearly = held((self.near, hold + 15))
        return Proof(
            (
                self._scene(Kind.FIRES, "just beyond the limit, and back", coming),
                self._scene(Kind.QUIET, "just short of the limit", nearly),
            ),
            STATED,
        )

    def _scene(self, kind: Kind, about: str, course: Course) -> Scene:
        stage = Stage(lambda minute: course.at(minute) == self.wrong, minutes(self.hold), len(course) - 1)
        return play(kind, about, self.inputs(course), stage)
