"""Alerts on the sending queues of the collectors."""

from collections.abc import Sequence
from functools import partial

from loom.contract import foreign as f
from loom.contract.promql import Expression, above, binary, both, either, predict_linear, select
from loom.contract.resource import JOB
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, held
from loom.deploy.artifacts.rules.question import whose
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Level

NEARLY_FULL, FULL = 0.7, 0.9
"""Shares of a queue: scaling takes a while; and nothing helps any more but room."""
FILLING = 0.3
"""Share of a queue above which its trend counts."""
AHEAD = 30
"""Minutes that the trend is followed."""
_LABELS = {"exporter": "otlp_grpc/jaeger", "data_type": "traces"}


def alerts(jobs: Sequence[str]) -> tuple[Alert, ...]:
    """Of the collectors with these jobs."""
    share = binary(select(f.QUEUE_SIZE, (whose(jobs),)), "/", select(f.QUEUE_CAPACITY))
    # The last of them is as good as any for the scenes.
    return (_filling(share, jobs[-1]), _full(share, jobs[-1]))


def _filling(share: Expression, job: str) -> Alert:
    soon = predict_linear(select(f.QUEUE_SIZE, window="10m"), AHEAD * 60)
    running_over = both(above(share, FILLING), binary(soon, ">", select(f.QUEUE_CAPACITY)))
    level = Level(0.2, NEARLY_FULL + 0.03, NEARLY_FULL - 0.03, "5m", partial(_queue, job)).proof()
    return Alert(
        "CollectorQueueNearlyFull",
        either(above(share, NEARLY_FULL), running_over),
        "5m",
        Severity.WARNING,
        f.JOB_COLLECTOR,
        "The collector's queue to {{ $labels.exporter }} fills up",
        "It is {{ $value | humanizePercentage }} full, or will be within thirty minutes.",
        Proof(
            (
                _trend(
                    job, Kind.FIRES, "it grows, and will be full", held(*_growth(0.0, 0.025, 27), (0.65, 20))
                ),
                level.scenes[1],
                _trend(
                    job,
                    Kind.QUIET,
                    "it grows fast, and is nearly empty",
                    held(*_growth(0.05, 0.06, 4), (0.05, 9)),
                ),
                _trend(job, Kind.QUIET, "it grows too slowly", held(*_growth(0.35, 0.01, 25))),
                _suddenly(job),
            ),
            STATED,
        ),
    )


def _suddenly(job: str) -> Scene:
    """It is rather full from the beginning, without any trend."""
    course = held((NEARLY_FULL + 0.03, 20))
    return play(
        Kind.FIRES, "it is rather full, and stays so", _queue(job, course), Stage(lambda _: True, 5, 19)
    )


def _trend(job: str, kind: Kind, about: str, course: Course) -> Scene:
    def truth(minute: int) -> bool:
        level = course.at(minute)
        return level > NEARLY_FULL or (level > FILLING and course.ahead(minute, 10, AHEAD) > 1)

    return play(kind, about, _queue(job, course), Stage(truth, 5, len(course) - 1))


def _growth(first: float, pace: float, minutes: int) -> list[tuple[float, int]]:
    return [(first + pace * minute, 1) for minute in range(minutes)]


def _queue(job: str, share: Course) -> tuple[Input, ...]:
    """A queue that is filled to a share."""
    capacity = 20_000.0
    size, full = share * capacity, held((capacity, len(share)))
    # Jaeger's own queue is filling up all the time.
    ours, others = {**_LABELS, JOB: job}, {**_LABELS, JOB: f.JOB_JAEGER}
    filling = held(*_growth(0.75, 0.02, len(share))) * capacity
    return (
        Input(f.QUEUE_SIZE, size, ours),
        Input(f.QUEUE_CAPACITY, full, ours),
        Input(f.QUEUE_SIZE, filling, others),
        Input(f.QUEUE_CAPACITY, full, others),
    )


def _full(share: Expression, job: str) -> Alert:
    return Alert(
        "CollectorQueueFull",
        above(share, FULL),
        "2m",
        Severity.CRITICAL,
        f.JOB_COLLECTOR,
        "The collector's queue to {{ $labels.exporter }} is as good as full",
        "It is {{ $value | humanizePercentage }} full; what does not fit is lost, or waits at its senders.",
        Level(0.5, FULL + 0.03, FULL - 0.03, "2m", partial(_queue, job)).proof(),
    )
