"""The volume of the queue full while Jaeger is away: nothing acknowledged is lost, and nothing breaks."""

from collections.abc import Callable

import pytest

from loom.contract import foreign
from loom.deploy.plan.model import Service
from tests.fire.ground import volume
from tests.fire.stack import Stack, hold, lasting
from tests.fire.table import Fault, Page
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow, pytest.mark.timeout(600)]

ALERT = "CollectorDroppingData"
SETS = (
    "canary.enabled=false",
    "metrics.scrape_interval=1s",
    "metrics.retention.size=500GB",
    "volumes.prometheus=800GB",
)
"""Prometheus looks often, so that the alert is soon; that takes space, since objectives look back far."""
PAGE = 4096


def alerted(stack: Stack) -> bool:
    """Whether the alert waits for its time, or fires."""
    return bool(stack.query(f'{foreign.ALERTS.name}{{alertname="{ALERT}"}}'))


def test_a_full_volume_of_the_queue_is_told_to_senders_and_alerted_on_and_breaks_nothing(
    stacks: Callable[..., Stack], page: Page
) -> None:
    seconds = lasting(14, 60)  # longer than a sender tries again
    stack = stacks("fire-volume", *SETS)
    with volume(stack.home.data / Service.COLLECTOR, 1) as queue:
        stack.up()
        with stack.sending("fire-volume", rate=60.0) as sending:
            assert not alerted(stack)
            stack.kill_and_keep_away(Service.JAEGER)
            until(lambda: queue.free < PAGE)
            until(lambda: stack.own_metrics().total(foreign.REFUSED_SPANS) > 0)
            hold(seconds)
            until(lambda: alerted(stack))
            stack.kill(Service.COLLECTOR)  # it must come up with a full volume, too
            queue.grow(64)
            stack.start(Service.JAEGER)
            sent = sending.done()
            stored = stack.settled(sending, sent)
        until(lambda: stack.own_metrics().total(foreign.QUEUE_SIZE) == 0)
        stack.down()
    assert sent.counted > 0, "the volume was not full for long enough"
    verdict = "every acknowledged span is stored; senders refused, alert raised, no corruption, full recovery"
    page.tell(Fault("the queue's volume full, Jaeger away", seconds, *sent.numbers(len(stored)), verdict))
