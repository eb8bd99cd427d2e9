"""Makes the telemetry of a process from its settings."""

from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from loom.telemetry.families import Families
from loom.telemetry.ledger import Ledger
from loom.telemetry.settings import Settings
from loom.telemetry.telemetry import Telemetry, announce
from loom.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from loom.telemetry.otlp import Exporters


@dataclass(frozen=True, slots=True)
class Options:
    """What a program decides, not its environment."""

    service_version: str = ""
    """Empty for the version of Loom itself."""
    globally: bool = False
    """Whether other libraries, such as the MCP SDK, find these providers as OpenTelemetry's global ones."""
    periodic: bool = True
    """Whether metrics are exported by themselves; otherwise only when flushed."""


DEFAULTS = Options()


def setup(settings: Settings, options: Options = DEFAULTS, exporters: "Exporters | None" = None) -> Telemetry:
    """Connect to the collector, or to the given exporters, and log that it is done.

    Nobody needs to listen yet: what cannot be delivered is retried, counted, and given up at shutdown.
    """
    if settings.disabled:
        return Telemetry.disabled()
    telemetry = _assemble(settings, options, exporters)
    if options.globally:
        telemetry.become_global()
    announce(settings)
    return telemetry


def _assemble(settings: Settings, options: Options, exporters: "Exporters | None") -> Telemetry:
    # The SDK is imported only where telemetry is really made.
    from loom.telemetry import foreign, meters, otlp, readable, resource, version  # noqa: PLC0415 - slow to import
    from loom.telemetry.batcher import Batcher  # noqa: PLC0415 - slow to import
    from loom.telemetry.pipeline import Pipeline  # noqa: PLC0415 - slow to import
    from loom.telemetry.reading import Reading  # noqa: PLC0415 - slow to import

    described = resource.describe(settings, options.service_version or version.VERSION)
    spans, metrics = exporters or otlp.connect(settings)
    ledger = Ledger()
    send = readable.sender(spans, described)
    batcher = Batcher(send, ledger, settings.queue_size, settings.batch_size, settings.batch_delay)
    interval = settings.export_interval if options.periodic else inf
    reading = Reading(metrics, described, interval, settings.export_timeout)
    families = Families(partial(meters.register, reading.provider))
    reading.add(families.distributions)
    ledger.publish(families)
    tracers = foreign.provide(settings.sampling, described, batcher)
    pipeline = Pipeline(reading, tracers, spans, batcher)
    return Telemetry(families, Tracing(settings.sampling, batcher.put), pipeline)
