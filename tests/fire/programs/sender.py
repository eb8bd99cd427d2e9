"""Loom at a steady rate until its input ends, with a record of every span and point that was acknowledged.

What the collector acknowledged is what the SDK's exporter said SUCCESS of; the record holds ids, not counts,
so that each one can be looked for.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from loom.contract.metrics import telemetry as own
from loom.runtime import Call, Capability, Event
from loom.runtime.agent import Action, AgentConfig, AgentContext
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.telemetry import Options, setup
from loom.telemetry.otlp import Exporters, connect

TOPIC, WORK = "fire.topic", "fire.work"
BREATH = 0.005
"""Seconds between two bursts."""
_MILLI = 1_000_000


@dataclass
class Record:
    """Ids of spans, and (milliseconds since 1970, value) of the points of one counter."""

    spans: dict[bool, list[str]] = field(default_factory=lambda: {True: [], False: []})
    """Acknowledged or not → ids."""
    points: dict[bool, list[tuple[int, float]]] = field(default_factory=lambda: {True: [], False: []})


class Spans(SpanExporter):
    """Writes down what became of each span."""

    def __init__(self, inner: SpanExporter, record: Record) -> None:
        """Export by `inner`."""
        self._inner, self._record = inner, record

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass it on."""
        result = self._inner.export(spans)
        ids = [f"{span.context.span_id:016x}" for span in spans if span.context]
        self._record.spans[result is SpanExportResult.SUCCESS] += ids
        return result

    def shutdown(self) -> None:
        """Pass it on."""
        self._inner.shutdown()


class Points(MetricExporter):
    """Writes down what became of each point of the counter of created spans."""

    def __init__(self, inner: MetricExporter, record: Record) -> None:
        """Export by `inner`."""
        super().__init__()
        self._inner, self._record = inner, record

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **kwargs: Any,  # noqa: ANN401 - the SDK's own signature
    ) -> MetricExportResult:
        """Pass it on."""
        result = self._inner.export(metrics_data, timeout_millis, **kwargs)
        self._record.points[result is MetricExportResult.SUCCESS] += [
            (point.time_unix_nano // _MILLI, point.value)  # type: ignore[union-attr] # a counter's points have a value
            for part in metrics_data.resource_metrics
            for scope in part.scope_metrics
            for metric in scope.metrics
            if metric.name == own.SPANS_CREATED.name
            for point in metric.data.data_points
        ]
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Pass it on."""
        return self._inner.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's signature
        """Pass it on."""
        self._inner.shutdown(timeout_millis, **kwargs)


class Worker:
    """Calls the capability for every event."""

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Work."""
        await context.execute(Action(WORK, event.payload, reply_to=None))
        return ()


async def main() -> None:
    """Run it, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path, help="file for the record")
    parser.add_argument("--rate", type=float, default=100.0, help="events per second")
    parser.add_argument("--shutdown", type=float, default=30.0, help="seconds for what waits at the end")
    told = parser.parse_args()
    configuration, record = Configuration.from_environ(os.environ), Record()
    real = connect(configuration.telemetry)
    exporters = Exporters(Spans(real.spans, record), Points(real.metrics, record))
    telemetry = setup(configuration.telemetry, Options(globally=True), exporters)
    async with Loom(configuration, telemetry) as loom:
        loom.broker.register(Capability(WORK), _work)
        loom.agents.create(AgentConfig("worker", "worker", (TOPIC,)), Worker())
        await _publish(loom, told.rate)
        await loom.agents.settle(told.shutdown)
    arrived = await telemetry.close(told.shutdown)
    ledger = telemetry.ledger
    document = {
        "created": ledger.created,
        "exported": ledger.exported,
        "lost": ledger.lost,
        "arrived": arrived,
        "spans": {"acknowledged": record.spans[True], "refused": record.spans[False]},
        "points": {"acknowledged": record.points[True], "refused": record.points[False]},
    }
    told.record.write_text(json.dumps(document))


async def _publish(loom: Loom, rate: float) -> None:
    """Keep to the rate until the input ends; what a burst was late with the next one makes up for."""
    over, started, published = asyncio.create_task(asyncio.to_thread(sys.stdin.read)), perf_counter(), 0
    while not over.done():
        due = int((perf_counter() - started) * rate) + 1
        while published < due:
            published += 1
            await loom.bus.publish(TOPIC, Event("fire", published))
        await asyncio.sleep(BREATH)
    await over


async def _work(call: Call) -> None:
    del call


if __name__ == "__main__":
    asyncio.run(main())
