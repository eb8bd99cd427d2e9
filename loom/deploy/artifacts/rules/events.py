"""Alerts on the event bus."""

from functools import partial

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.indicator import ROOM
from loom.contract.metrics import event_bus
from loom.contract.promql import Queries, above, aggregate, binary, both, call, scalar, select, unless
from loom.contract.recording import LEVEL, latency
from loom.contract.series import Part
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, counted, held
from loom.deploy.artifacts.rules.question import LEAST_CALLS, of, part_of
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Share
from loom.deploy.plan.model import Plan

BACKLOG_FLOOR = 100
"""Events that may wait in a topic without anybody being told."""
BACKLOG_GROWTH = 0.1
"""Share of itself that a backlog grows by in an hour; less is noise around a level."""
SLOW_PUBLISH = 0.5
"""Seconds; a boundary of the histogram."""
LOSS = 0.01
"""Events of a topic that may be dropped for want of room, for each that is delivered."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """Lost, waiting, slow."""
    return (_dropped(plan), _backlog(plan), _slow(plan))


def _dropped(plan: Plan) -> Alert:
    by = (*LEVEL, a.TOPIC.label)
    queries = Queries(plan.naming)
    dropped = queries.matching(ROOM).increase(event_bus.DROPPED, by)
    # Where nothing is delivered, there is nothing to compare with, and nothing that excuses.
    few = binary(binary(dropped, "/", queries.increase(event_bus.DELIVERED, by)), "<=", scalar(LOSS))
    share = Share(LOSS, "5m", "10m", LEAST_CALLS, partial(_events, plan), of_failed=True).proof()
    return Alert(
        "LoomEventsDropped",
        unless(above(dropped, LEAST_CALLS), few),
        "10m",
        Severity.WARNING,
        scopes.EVENT_BUS,
        "Events of {{ $labels.topic }} are dropped for want of room",
        "{{ $value | humanize }} events of this topic were dropped in five minutes: more than one for each"
        " hundred that were delivered.",
        Proof((*share.scenes, _nothing_delivered(plan), _other_reasons(plan)), share.little),
    )


def _events(plan: Plan, lost: Course, delivered: Course) -> tuple[Input, ...]:
    return (
        of(plan, event_bus.DROPPED, lost, topic="task.*", reason="backpressure"),
        of(plan, event_bus.DROPPED, counted((60, len(lost) - 1)), topic="task.*", reason="expired"),
        of(plan, event_bus.DELIVERED, delivered, topic="task.*"),
    )


def _nothing_delivered(plan: Plan) -> Scene:
    """The counter of deliveries does not even exist; both reasons count."""
    course = counted((1.5, 30))
    inputs = tuple(
        of(plan, event_bus.DROPPED, course, topic="task.*", reason=reason)
        for reason in ("queue_full", "backpressure")
    )
    truth = Stage(lambda minute: 2 * course.increase(minute, 5) > LEAST_CALLS, 10, 30)
    return play(Kind.FIRES, "nothing is delivered at all", inputs, truth)


def _other_reasons(plan: Plan) -> Scene:
    """Many are dropped for reasons that are no fault of the bus, and few for want of room."""
    others = (reason for reason in a.DROP_REASON.values if reason not in ROOM.value.split("|"))
    paces = {**dict.fromkeys(others, 60), "queue_full": 5}
    dropped = (
        of(plan, event_bus.DROPPED, counted((pace, 30)), topic="task.*", reason=reason)
        for reason, pace in paces.items()
    )
    delivered = of(plan, event_bus.DELIVERED, counted((1000, 30)), topic="task.*")
    stage = Stage(lambda _: False, 10, 30)
    return play(Kind.QUIET, "dropped for other reasons", (*dropped, delivered), stage)


def _backlog(plan: Plan) -> Alert:
    by, queries = (*LEVEL, a.TOPIC.label), Queries(plan.naming, window="10m")
    waiting = queries.select(plan.naming.series(event_bus.BACKLOG), ranged=True)
    least = aggregate("sum", call("min_over_time", waiting), by=by)
    hourly = binary(aggregate("sum", call("deriv", waiting), by=by), "*", scalar(3600))
    growth = binary(hourly, "/", queries.value(event_bus.BACKLOG, by))
    return Alert(
        "LoomBacklogGrowing",
        both(above(least, BACKLOG_FLOOR), above(growth, BACKLOG_GROWTH)),
        "5m",
        Severity.WARNING,
        scopes.EVENT_BUS,
        "Subscribers of {{ $labels.topic }} do not keep up",
        "More than {{ $value | humanize }} events have waited for ten minutes, and they grow more.",
        Proof(
            (
                _waiting(
                    plan,
                    Kind.FIRES,
                    "few wait, then just enough",
                    held((90.0, 20), *_rising(110, 0.0019, 20)),
                ),
                _waiting(plan, Kind.FIRES, "it grows, and stops", _risen(20, 40)),
                _waiting(plan, Kind.QUIET, "too few, growing", held(*_rising(90, 0.0022, 40))),
                _waiting(plan, Kind.QUIET, "many, growing by too little", held(*_rising(9000, 0.0015, 40))),
                _waiting(plan, Kind.QUIET, "many, becoming less", held(*_rising(9000, -0.01, 40))),
            ),
            STATED,
        ),
    )


def _rising(first: float, pace: float, minutes: int) -> list[tuple[float, int]]:
    """Levels that grow by a share of the first in each minute."""
    return [(first * (1 + pace * minute), 1) for minute in range(minutes)]


def _risen(rising: int, level: int) -> Course:
    steps = _rising(1000, 0.02, rising)
    return held(*steps, (steps[-1][0], level))


def _waiting(plan: Plan, kind: Kind, about: str, course: Course) -> Scene:
    def truth(minute: int) -> bool:
        least = course.least(minute, 10)
        return least > BACKLOG_FLOOR and course.slope(minute, 10) * 60 > BACKLOG_GROWTH * course.at(minute)

    inputs = (of(plan, event_bus.BACKLOG, course, topic="task.*"),)
    return play(kind, about, inputs, Stage(truth, 5, len(course) - 1))


def _slow(plan: Plan) -> Alert:
    enough = above(Queries(plan.naming).increase(event_bus.PUBLISH_LATENCY, LEVEL), LEAST_CALLS)
    slow = above(select(latency(plan.naming, event_bus.PUBLISH_LATENCY, 0.99).series), SLOW_PUBLISH)
    return Alert(
        "LoomPublishSlow",
        both(slow, enough),
        "10m",
        Severity.WARNING,
        scopes.EVENT_BUS,
        "Publishing waits for room in the queues of {{ $labels.job }}",
        "One publish in a hundred takes longer than {{ $value | humanizeDuration }}.",
        Proof(
            (
                _publishes(plan, Kind.FIRES, "just too slow for a while", _SLOWED, 2.2),
                _publishes(plan, Kind.QUIET, "just fast enough", held((0.45, 40)), 60),
            ),
            (_publishes(plan, Kind.LITTLE, "next to none, and slow", held((0.9, 40)), 1.8),),
        ),
    )


_SLOWED = held((0.4, 10), (0.55, 16), (0.4, 14))


def _publishes(plan: Plan, kind: Kind, about: str, quantile: Course, pace: float) -> Scene:
    """The recorded quantile, and how often something is published."""
    count = counted((pace, len(quantile) - 1))

    def truth(minute: int) -> bool:
        return quantile.at(minute) > SLOW_PUBLISH and count.increase(minute, 5) > LEAST_CALLS

    inputs = (
        Input(latency(plan.naming, event_bus.PUBLISH_LATENCY, 0.99).series, quantile),
        part_of(plan, event_bus.PUBLISH_LATENCY, Part.COUNT, count, topic="task.*", qos="batched"),
    )
    return play(kind, about, inputs, Stage(truth, 10, len(quantile) - 1))
