"""Alerts on the pipeline as a whole: what is not watched loses telemetry without a word."""

from loom.contract import foreign as f
from loom.contract.promql import (
    Matcher,
    above,
    absent,
    aggregate,
    binary,
    call,
    either,
    scalar,
    select,
    vector,
)
from loom.contract.resource import INSTANCE, JOB
from loom.contract.series import Series
from loom.deploy.artifacts.prometheus import targets
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, held
from loom.deploy.artifacts.rules.question import whose
from loom.deploy.artifacts.rules.scene import DEFAULTS, Input, Kind, Proof, Scene, Stage, Unmetered, play
from loom.deploy.artifacts.rules.staging import STATED
from loom.deploy.plan.model import Plan

COMPONENT = "pipeline"
RESTARTS = 3
"""Restarts in an hour that are no reason to look: the three steps to a new authority are so many."""


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """The heartbeat, what is not there, what does not stay."""
    return (_watchdog(), _target_down(plan), _restarting(plan))


def _watchdog() -> Alert:
    return Alert(
        "Watchdog",
        vector(1),
        "0m",
        Severity.NONE,
        f.JOB_PROMETHEUS,
        "Alerting works",
        "This alert always fires. When Alertmanager does not have it, no alert arrives there.",
        Proof((), Unmetered("It fires whatever happens."), silent=({},)),
    )


def _target_down(plan: Plan) -> Alert:
    jobs = [target.job for target in targets(plan)]
    down = aggregate("max", binary(select(f.UP), "==", scalar(0)), by=(JOB, INSTANCE))
    missing = (absent(f.UP, (Matcher(JOB, "=", job),)) for job in jobs)
    return Alert(
        "PipelineTargetDown",
        either(down, *missing),
        "2m",
        Severity.CRITICAL,
        COMPONENT,
        "{{ $labels.job }} is down",
        "Prometheus has not been able to scrape {{ $labels.job }} {{ $labels.instance }} for two minutes.",
        Proof(
            (
                _targets(jobs, Kind.FIRES, "one stops answering, and answers again"),
                _targets(jobs, Kind.QUIET, "all answer"),
            ),
            STATED,
            silent=tuple({JOB: job} for job in jobs),
        ),
    )


def _targets(jobs: list[str], kind: Kind, about: str) -> Scene:
    fine = held((1.0, 40))
    course = held((1.0, 10), (0.0, 15), (1.0, 15)) if kind is Kind.FIRES else fine
    healthy = (Input(f.UP, fine, {JOB: job}) for job in jobs[:-1])
    # The broken one first: its labels are those of the alert.
    inputs = (Input(f.UP, course, {JOB: jobs[-1]}), *healthy)
    return play(kind, about, inputs, Stage(lambda minute: course.at(minute) == 0, 2, 39))


_STARTED = (f.JOB_PROMETHEUS, f.JOB_ALERTMANAGER, *f.JOBS_THANOS)
"""Who says when it was started; a collector, and Jaeger, say how long ago."""


def _restarting(plan: Plan) -> Alert:
    there = {target.job for target in targets(plan)}
    jobs = tuple(job for job in _STARTED if job in there)
    again = either(
        call("resets", select(f.PROCESS_UPTIME, window="1h")),
        call("changes", select(f.PROCESS_START, (whose(jobs),), "1h")),
    )
    return Alert(
        "PipelineProcessRestarting",
        above(aggregate("sum", again, by=(JOB, INSTANCE)), RESTARTS),
        "0m",
        Severity.WARNING,
        COMPONENT,
        "{{ $labels.job }} starts again and again",
        "{{ $labels.instance }} was started {{ $value | humanize }} times within an hour: look for the end of"
        " its log, and whether its memory is enough.",
        Proof(
            tuple(
                _starts(kind, times, series, job)
                for series, job in ((f.PROCESS_UPTIME, f.JOB_COLLECTOR), (f.PROCESS_START, jobs[-1]))
                for kind, times in ((Kind.FIRES, RESTARTS + 1), (Kind.QUIET, RESTARTS))
            ),
            STATED,
        ),
    )


def _starts(kind: Kind, times: int, series: Series, job: str) -> Scene:
    """So many restarts, four minutes apart; an hour later they are forgotten."""
    begin, apart, last = 10, 4, 90
    starts = [begin + apart * number for number in range(times)]
    latest = [max((0, *(start for start in starts if start <= minute))) for minute in range(last + 1)]
    ages = [minute - start for minute, start in enumerate(latest)]
    course = Course(tuple(60.0 * value for value in (ages if series is f.PROCESS_UPTIME else latest)))

    def truth(minute: int) -> bool:
        # A restart is seen between two values, and both must be in the window.
        return sum(minute - 60 + 2 <= start <= minute for start in starts) > RESTARTS

    # What is no program of the pipeline may be started every minute.
    other = Course(tuple(60.0 * minute for minute in range(last + 1)))
    inputs = (
        Input(series, course, {JOB: job, INSTANCE: DEFAULTS[INSTANCE]}),
        Input(f.PROCESS_START, other, {JOB: "another", INSTANCE: DEFAULTS[INSTANCE]}),
    )
    return play(kind, f"{times} restarts of {job}", inputs, Stage(truth, 0, last), 30)
