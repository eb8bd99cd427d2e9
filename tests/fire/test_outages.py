"""Programs killed, and kept away, under load: every span and every point accounted for, one by one."""

from functools import partial

import pytest

from loom.contract import canary, foreign
from loom.contract.metrics import telemetry as own
from loom.contract.resource import JOB
from loom.deploy.plan.model import Service
from tests.fire.stack import Stack, hold, lasting
from tests.fire.table import Fault, Page
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(600)]

OFTEN = "500"
"""Milliseconds between two exports of metrics."""


def samples(stack: Stack, service: str) -> list[tuple[int, float]]:
    """Milliseconds since 1970 and value of everything Prometheus has of the counter of created spans."""
    name = stack.plan.naming.base(own.SPANS_CREATED)
    rows = stack.query(f'{name}{{{JOB}="{service}"}}[15m]')
    return [(round(at * 1000), float(value)) for row in rows for at, value in row["values"]]


def started_anew(stack: Stack, former: int) -> bool:
    """Whether the collector has another pid."""
    return stack.pid(Service.COLLECTOR) not in {0, former}


def test_nothing_acknowledged_is_lost_when_jaeger_is_killed_and_stays_away(stack: Stack, page: Page) -> None:
    seconds = lasting(8, 60)
    with stack.sending("fire-jaeger") as sending:
        stack.kill_and_keep_away(Service.JAEGER)
        hold(seconds)
        queued = stack.own_metrics().total(foreign.QUEUE_SIZE, "traces")
        stack.start(Service.JAEGER)
        sent = sending.done()
        stored = stack.settled(sending, sent)
    assert queued > 0, "Jaeger was not really away"
    verdict = "every acknowledged span is stored, each found by its id"
    page.tell(Fault("Jaeger `kill -9`, and away", seconds, *sent.numbers(len(stored)), verdict))


def test_nothing_acknowledged_is_lost_when_the_collector_is_killed_again_and_again(
    stack: Stack, page: Page
) -> None:
    kills = round(lasting(2, 8))
    before = stack.own_metrics(Service.JAEGER).total(foreign.ACCEPTED_SPANS)
    with stack.sending("fire-collector") as sending:
        for _ in range(kills):
            pid = stack.pid(Service.COLLECTOR)
            stack.kill(Service.COLLECTOR)
            until(partial(started_anew, stack, pid))
            hold(4)
        stack.wait()
        sent = sending.done()
        stored = stack.settled(sending, sent)
    # Jaeger counts what it stored, also what it stored twice; the canary sends as well.
    counted = stack.own_metrics(Service.JAEGER).total(foreign.ACCEPTED_SPANS) - before
    twice = counted - len(stored) - len(stack.stored(canary.SERVICE, sending.since))
    arrived = f"{len(stored)}, {max(0, twice):g} of them twice"
    verdict = (
        "every acknowledged span is stored, each found by its id; what was not acknowledged was sent again"
    )
    page.tell(Fault("collector `kill -9`, again and again", 4 * kills, *sent.numbers(arrived), verdict))


def test_every_point_arrives_when_prometheus_is_killed_and_stays_away(pushing: Stack, page: Page) -> None:
    seconds = lasting(8, 60)
    with pushing.sending("fire-points", OTEL_METRIC_EXPORT_INTERVAL=OFTEN) as sending:
        pushing.kill_and_keep_away(Service.PROMETHEUS)
        hold(seconds)
        queued = pushing.own_metrics().total(foreign.QUEUE_SIZE, "metrics")
        pushing.start(Service.PROMETHEUS)
        sent = sending.done()
        until(lambda: set(sent.points) <= set(samples(pushing, sending.service)))
        found = samples(pushing, sending.service)
    assert queued > 0, "Prometheus was not really away"
    assert set(found) <= {*sent.points, *sent.unsent}
    assert len(set(found)) == len(found)
    points = len(sent.points) + len(sent.unsent)
    verdict = "every acknowledged point is stored, with its own time and value"
    numbers = (f"{points} points", str(len(sent.points)), str(len(found)), str(len(sent.unsent)))
    page.tell(Fault("Prometheus `kill -9`, and away; `delivery: otlp`", seconds, *numbers, verdict))


def test_totals_are_complete_when_prometheus_that_scrapes_was_away(stack: Stack, page: Page) -> None:
    seconds = lasting(8, 60)
    with stack.sending("fire-totals", OTEL_METRIC_EXPORT_INTERVAL=OFTEN) as sending:
        stack.kill_and_keep_away(Service.PROMETHEUS)
        hold(seconds)
        stack.start(Service.PROMETHEUS)
        sent = sending.done()
        last = sent.points[-1][1]
        until(lambda: samples(stack, sending.service)[-1:] and samples(stack, sending.service)[-1][1] == last)
        found = samples(stack, sending.service)
    assert last == sent.created, "the last point is of the whole"
    values = [value for _, value in found]
    assert values == sorted(values)
    assert set(values) <= {value for _, value in (*sent.points, *sent.unsent)}
    points = len(sent.points) + len(sent.unsent)
    verdict = "the last total is the program's own; values in between are not promised"
    numbers = (f"{points} points", str(len(sent.points)), str(len(found)), str(len(sent.unsent)))
    page.tell(Fault("Prometheus `kill -9`, and away; `delivery: scrape`", seconds, *numbers, verdict))
