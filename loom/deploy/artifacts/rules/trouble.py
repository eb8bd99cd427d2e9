"""Alerts on counters that stand still while all is well: any growth is trouble.

Where it takes somebody out of bed it must go on: held for as long as the window is, once is not enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loom.contract.promql import Expression, above, aggregate, call, either, select
from loom.contract.resource import INSTANCE, JOB
from loom.contract.series import Series
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, counted, minutes
from loom.deploy.artifacts.rules.question import whose
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import COUNTED, SHORT

_STRANGER = "somebody-else"


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
        chosen = select(series, (whose(self.jobs),), self.window)
        by = (JOB, INSTANCE, *self.labels)
        return above(aggregate("sum", call("increase", chosen), by=by), 0)

    def _scenes(self) -> list[Scene]:
        span, hold = minutes(self.window), minutes(self.hold)
        burst, pause = max(3, hold - span + 6), span + 2
        turns = [self._turn(number, burst, pause) for number in range(len(self.counters))]
        flat = [counted((0, span + hold)) for _ in self.counters]
        scenes = [
            self._scene(Kind.FIRES, "each of the counters for a while", turns),
            self._scene(Kind.QUIET, "it happened long ago", flat),
        ]
        if hold >= span:
            once = [counted((0, span), (self._pace, 1), (0, 2 * span)) for _ in self.counters]
            scenes.append(self._scene(Kind.QUIET, "it happens once", once))
        return scenes

    @property
    def _pace(self) -> float:
        # So little that the whole window holds less than one: any at all is what counts.
        return SHORT / minutes(self.window)

    def _turn(self, number: int, burst: int, pause: int) -> Course:
        """One counter after the other: the number says whose turn it is."""
        turn, last = burst + pause, minutes(self.window)
        after = (len(self.counters) - number - 1) * turn + pause + last
        return counted((0, number * turn + pause), (self._pace, burst), (0, after))

    def _scene(self, kind: Kind, about: str, courses: list[Course]) -> Scene:
        span = minutes(self.window)

        def truth(minute: int) -> bool:
            return any(course.grown(minute, span) > 0 for course in courses)

        pairs = list(zip(self.counters, courses, strict=True))
        ours = tuple(self._input(series, course, self.jobs[-1]) for series, course in pairs)
        # Others have the same trouble all the time.
        others = tuple(
            self._input(series, counted((1, len(course) - 1)), _STRANGER) for series, course in pairs
        )
        return play(kind, about, (*ours, *others), Stage(truth, minutes(self.hold), len(courses[0]) - 1))

    def _input(self, series: Series, course: Course, job: str) -> Input:
        rest = {name: "any" for name in series.labels if name not in {JOB, INSTANCE, *self.labels}}
        return Input(series, course, {JOB: job, **self.labels, **rest})
