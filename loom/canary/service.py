"""The canary as it runs: a thread for each signal, one for certificates, and the port where it tells."""

import logging
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from time import monotonic

from loom.canary.certificates import looks
from loom.canary.endpoint import listening
from loom.canary.exposition import expose
from loom.canary.letter import Courier, write
from loom.canary.metric import MetricCourier
from loom.canary.record import Record, Standing
from loom.canary.round import Pace, go
from loom.canary.settings import Settings
from loom.canary.store import Store
from loom.canary.trace import TraceCourier
from loom.telemetry import otlp
from loom.telemetry.resource import describe
from loom.telemetry.version import VERSION

logger = logging.getLogger("loom.canary")

_GRACE = 5.0
"""Seconds that what is under way may take when it stops."""


def serve(settings: Settings, stop: Event, ready: Callable[[int], None] = lambda _: None) -> None:
    """Send and look until `stop` is set, whoever is away; `ready` is told the port once it listens.

    MachineError when the port cannot be had.
    """
    record = Record()
    with listening(settings.listen, partial(expose, record), settings.folder) as endpoint:
        couriers = connect(settings)
        works = [
            partial(_carry, courier, record.standings[courier.signal], settings, stop) for courier in couriers
        ]
        works.append(partial(_watch, record, settings, stop))
        threads = [Thread(target=work, daemon=True) for work in works]
        for thread in threads:
            thread.start()
        logger.info("a round every %g s; telling on port %d", settings.interval, endpoint.port)
        ready(endpoint.port)
        stop.wait()
        for courier in couriers:
            courier.close()
        deadline = monotonic() + _GRACE
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))
    logger.info("stopped")


def connect(settings: Settings) -> tuple[Courier, ...]:
    """One courier for each signal; nothing is sent yet, and nobody needs to listen."""
    resource = describe(settings.telemetry, VERSION)
    exporters = otlp.connect(settings.telemetry)
    return (
        TraceCourier(exporters.spans, resource, Store(settings.jaeger, settings.folder)),
        MetricCourier(
            exporters.metrics,
            resource,
            Store(settings.prometheus, settings.folder, password=True),
            settings.series,
        ),
    )


def _carry(courier: Courier, standing: Standing, settings: Settings, stop: Event) -> None:
    pace, number = Pace.until(stop, settings.patience), 0

    def carry() -> None:
        nonlocal number
        letter = write(number)
        number = letter.number
        go(courier, letter, standing, pace)

    _repeat(carry, settings.interval, stop)


def _watch(record: Record, settings: Settings, stop: Event) -> None:
    _repeat(lambda: record.know(looks(settings)), settings.interval, stop)


def _repeat(work: Callable[[], None], interval: float, stop: Event) -> None:
    """Do it every `interval` seconds, whatever it raises, until `stop` is set."""
    while not stop.is_set():
        began = monotonic()
        try:
            work()
        except Exception:  # the canary must outlive whatever the next library thinks of
            logger.exception("a round failed")
        stop.wait(max(0.0, interval - (monotonic() - began)))
