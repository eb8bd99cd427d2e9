"""One scenario over the whole of Loom, and what it exported; ran once for all who look at it."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event as Gate
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import Metric as MetricPoints
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from loom.contract.spans import event_bus as spans
from loom.examples import agent_tour, broker_tour, bus_tour, mcp_integration, model_tour, trip
from loom.examples.expectation import Expectations
from loom.examples.tally import Done
from loom.runtime import ActionBroker, Capability, ProviderType
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import Backoff, over_sdk
from loom.runtime.mcp import Options as McpOptions
from loom.runtime.orchestrator.script import Script
from loom.runtime.orchestrator.scripted import ScriptedServer
from loom.telemetry import Options, Settings, Telemetry, setup
from loom.telemetry.capture import MemoryMetrics, MemorySpans
from loom.telemetry.otlp import Exporters

QUEUE = 4096
"""Spans that may wait for the exporter: more than the scenario makes at once."""
EVENTS = 60
ENVIRON = {**os.environ, "OTEL_SDK_DISABLED": "true"}
"""For the MCP servers: their own telemetry would look for a collector that is not there."""


class Collector(MemorySpans):
    """Takes spans, refuses them, or keeps the exporter waiting, as it is told."""

    def __init__(self) -> None:
        """In good health."""
        super().__init__()
        self.refuses = False
        self.reached = Gate()
        self.open = Gate()
        self.open.set()

    def export(self, spans: Any) -> SpanExportResult:  # noqa: ANN401 - the SDK's own signature
        """One batch."""
        self.reached.set()
        self.open.wait(30)
        return SpanExportResult.FAILURE if self.refuses else super().export(spans)


@dataclass(slots=True)
class Story:
    """What happened, and what was told of it."""

    metrics: dict[tuple[str, str], MetricPoints]
    """(scope, metric name) → its data at the end."""
    spans: list[ReadableSpan]
    expected: Expectations
    created: int = 0
    """Spans that were recorded, the lost ones included."""
    lost: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="session")
def story() -> Iterator[Story]:
    """The tours of the example, in this process but for its MCP server; then three ways to lose spans."""
    collector, metrics = Collector(), MemoryMetrics()
    telemetry = setup(Settings(queue_size=QUEUE), Options(periodic=False), Exporters(collector, metrics))
    expected = Expectations()
    with ScriptedServer(Script((*trip.REPLIES, *model_tour.REPLIES))) as model:
        configuration = Configuration(
            landscape=agent_tour.LANDSCAPE,
            estimator=agent_tour.ESTIMATOR,
            mcp=McpOptions(Backoff(first=0.2), connect=over_sdk(ENVIRON)),
            model=model.settings(),
            signals=False,
        )
        asyncio.run(live(configuration, telemetry, expected))
    lose(telemetry, collector)
    ledger = telemetry.ledger
    yield Story(metrics.latest, collector.spans, expected, ledger.created, dict(ledger.lost))
    telemetry.shutdown()


async def live(configuration: Configuration, telemetry: Telemetry, expected: Expectations) -> None:
    """Everything that can happen to Loom in one run."""
    async with asyncio.timeout(60):
        async with Loom(configuration, telemetry) as loom:
            await mcp_integration._tell(loom, ENVIRON, expected)
        await bus_tour.show(telemetry, EVENTS, Done())
        await broker_tour.show(telemetry, Done(), overflow=True)
        await offer_every_kind(telemetry)


async def offer_every_kind(telemetry: Telemetry) -> None:
    """Capabilities of kinds that no component of Loom itself registers."""
    async with ActionBroker(telemetry) as broker:
        for kind in (ProviderType.WASM, ProviderType.GRPC):
            broker.register(Capability(f"foreign.{kind.value}", provider_type=kind), broker.invoke)


def lose(telemetry: Telemetry, collector: Collector) -> None:
    """One span to a collector that refuses, some to a full queue, the rest to a shutdown that cannot wait."""
    telemetry.flush(30)
    collector.refuses = True
    with telemetry.span(spans.SUBSCRIBE, {}):
        pass
    telemetry.flush(30)
    collector.reached.clear()
    collector.open.clear()
    with telemetry.span(spans.SUBSCRIBE, {}):
        pass
    assert collector.reached.wait(30)
    for _ in range(QUEUE + 1):
        with telemetry.span(spans.SUBSCRIBE, {}):
            pass
    telemetry.shutdown(5)
    collector.open.set()
