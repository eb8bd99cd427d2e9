"""Alerts on counters that stand still while all is well: any growth is trouble.

Where it takes somebody out of bed it must go on: held for as long as the window is, once is not enough.
Some counters are not there before the first failure: their first value counts too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loom.contract.foreign import TROUBLE
from loom.contract.promql import Expression, Queries, above, either
from loom.contract.resource import INSTANCE, JOB
from loom.contract.series import Series
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import GONE, START, Course, counted, held, minutes
from loom.deploy.artifacts.rules.question import whose
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import COUNTED, SHORT

_STRANGER = "somebody-else"
_FIRST = 3
"""Minute at which the first of such series begins."""
_BORN = 8000.0
"""The first value of a series that begins with a failure."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An alert on counters of one program."""

    name: str
    counters: tuple[Series, ...]
    jobs: tuple[str, ...]
    """Whose counters: others may have the same. The first is the component that the alert is about."""
    window: str
    hold: str
    severity: Severity
    summary: str
    description: str
    """`$value` is how much a counter grew in the window."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What else the alert is by, each with a value for its tests."""

    def alert(self) -> Alert:
        """The rule with its proof."""
        return Alert(
            self.name,
            either(*(self._grown(series) for series in self.counters)),
            self.hold,
            self.severity,
            self.jobs[0],
            self.summary,
            self.description,
            Proof(tuple(self._scenes()), COUNTED),
        )

    def _grown(self, series: Series) -> Expression:
        queries = Queries(matchers=(whose(self.jobs),), window=self.window)
        happened = queries.occurred_of if self._born else queries.increase_of
        return above(happened(series, (JOB, INSTANCE, *self.labels)), 0)

    @property
    def _born(self) -> bool:
        """Whether the counters are made by what they count."""
        return set(self.counters) <= set(TROUBLE)

    def _scenes(self) -> list[Scene]:
        span, hold = minutes(self.window), minutes(self.hold)
        burst, pause = max(3, hold - span + 6), span + 2
        turns = [self._turn(number, burst, pause) for number in range(len(self.counters))]
        flat = [self._counted((0, span + hold)) for _ in self.counters]
        scenes = [
            self._scene(Kind.FIRES, "each of the counters for a while", turns),
            self._scene(Kind.QUIET, "it never happened" if self._born else "it happened long ago", flat),
        ]
        if hold >= span:
            once = [self._counted((0, span), (self._pace, 1), (0, 2 * span)) for _ in self.counters]
            scenes.append(self._scene(Kind.QUIET, "it happens once", once))
        return [*scenes, *(self._births() if self._born else ())]

    def _births(self) -> Iterator[Scene]:
        """One counter after the other begins with a failure, and is not there before."""
        span, hold = minutes(self.window), minutes(self.hold)
        turn = 2 * span + hold + 2
        begins = [_FIRST + number * turn for number in range(len(self.counters))]
        length = begins[-1] + turn
        once = [held((GONE, begin), (_BORN, length - begin)) for begin in begins]
        enough, looks = hold < span, [begin + hold for begin in begins]
        yield self._scene(Kind.FIRES if enough else Kind.QUIET, "its series begin with it", once, *looks)
        if not enough:
            # The second failure comes just before the first is forgotten.
            again = [
                held((GONE, begin), (_BORN, span - 1), (_BORN + 1, length - begin - span + 1))
                for begin in begins
            ]
            yield self._scene(Kind.FIRES, "its series begin with it, and it happens again", again)

    @property
    def _pace(self) -> float:
        # So little that the whole window holds less than one: any at all is what counts.
        return SHORT / minutes(self.window)

    def _turn(self, number: int, burst: int, pause: int) -> Course:
        """One counter after the other: the number says whose turn it is."""
        turn, last = burst + pause, minutes(self.window)
        after = (len(self.counters) - number - 1) * turn + pause + last
        return self._counted((0, number * turn + pause), (self._pace, burst), (0, after))

    def _counted(self, *stretches: tuple[float, int]) -> Course:
        # One that begins with more than nothing is one that begins with a failure.
        return counted(*stretches, start=0.0 if self._born else START)

    def _scene(self, kind: Kind, about: str, courses: list[Course], *also: int) -> Scene:
        span = minutes(self.window)

        def truth(minute: int) -> bool:
            if self._born:
                return any(course.occurred(minute, span) > 0 for course in courses)
            return any(course.grown(minute, span) > 0 for course in courses)

        pairs = list(zip(self.counters, courses, strict=True))
        ours = tuple(self._input(series, course, self.jobs[-1]) for series, course in pairs)
        # Others have the same trouble all the time.
        others = tuple(
            self._input(series, counted((1, len(course) - 1)), _STRANGER) for series, course in pairs
        )
        stage = Stage(truth, minutes(self.hold), len(courses[0]) - 1)
        newcomers = tuple(self._newcomers(len(courses[0]))) if self._born else ()
        return play(kind, about, (*ours, *others, *newcomers), stage, *also)

    def _newcomers(self, length: int) -> Iterator[Input]:
        """Others' series that begin one after the other, where a label can tell them apart."""
        for number, begin in enumerate((_FIRST, _FIRST + minutes(self.window) - 1)):
            for series in self.counters:
                if self._rest(series):
                    course = held((GONE, begin), (_BORN, length - begin))
                    yield self._input(series, course, _STRANGER, f"newcomer-{number}")

    def _rest(self, series: Series) -> set[str]:
        return set(series.labels) - {JOB, INSTANCE, *self.labels}

    def _input(self, series: Series, course: Course, job: str, rest: str = "any") -> Input:
        return Input(series, course, {JOB: job, **self.labels, **dict.fromkeys(self._rest(series), rest)})
