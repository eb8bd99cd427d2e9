"""Causes on the way of the telemetry: Jaeger away, or given what it cannot store; the collector overrun."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from loom.contract import environment
from loom.deploy.artifacts.environment import credentials
from loom.deploy.drill.cause import Cause, Proof
from loom.deploy.drill.flood import flooding
from loom.deploy.drill.ground import Ground
from loom.deploy.drill.inside import LARGE
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.model import Purpose, Service

HUM, HUGE = "drill-hum", "drill-huge"
_FLOOD, _KILLS = "flood", "kills"
_SINGLE = {environment.SPAN_BATCH.name: "1", environment.TIMEOUT.name: "2"}
"""One span a message, and no patience: each is refused on its own."""
_LIFE = 2.0
"""Seconds that a program is let live: long enough for supervisord to count it as started."""


def _stop_jaeger(ground: Ground) -> None:
    ground.launch(HUM, "hum", **LARGE)
    ground.stop(Service.JAEGER)


def _send_huge(ground: Ground) -> None:
    # Straight to Jaeger, as the collector: what Jaeger cannot store would stay in the collector's queue.
    folder = ground.deployment.home.secrets / Service.COLLECTOR
    shown = {one.name: value for one, value in credentials(ground.plan, LOOM, str(folder)).items()}
    where = {environment.ENDPOINT.name: ground.plan.reached(Service.JAEGER, Purpose.OTLP_GRPC)}
    ground.launch(HUGE, "huge", **shown, **where, **LARGE, **_SINGLE)


@contextmanager
def _killing(ground: Ground, service: Service) -> Iterator[None]:
    """Kill it again and again; supervisord starts it anew each time."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(_LIFE):
            ground.kill(service)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


CAUSES = (
    Cause(
        "Jaeger is stopped, and spans keep coming",
        (
            "PipelineTargetDown",
            "CollectorQueueNearlyFull",
            "CollectorQueueFull",
            "CollectorLosingData",
            "CollectorDroppingData",
            "CollectorRefusingData",
        ),
        _stop_jaeger,
        lambda ground: ground.start(Service.JAEGER),
        1,
        {},
        {"CollectorRefusingData": Proof.SILENCED, "CollectorLosingData": Proof.SILENCED},
    ),
    Cause(
        "spans that are too large for Jaeger's store",
        ("JaegerNotStoring", "JaegerRefusingSpans"),
        _send_huge,
        lambda ground: ground.mend(HUGE),
        2,
        {},
        {"JaegerRefusingSpans": Proof.SILENCED},
    ),
    Cause(
        "more at once than memory allows",
        ("CollectorOutOfMemory",),
        lambda ground: ground.enter(_FLOOD, flooding(ground)),
        lambda ground: ground.leave(_FLOOD),
        2,
    ),
    Cause(
        "Jaeger is killed again and again",
        ("PipelineProcessRestarting",),
        lambda ground: ground.enter(_KILLS, _killing(ground, Service.JAEGER)),
        lambda ground: ground.leave(_KILLS),
        3,
    ),
)
