"""The rows about spans that arrive, at half of the load that one process can carry.

`python -m bench.export PROCESSORS` is one run on so many processors: it finds what an event costs on the full
path with everything sampled and every span really encoded, then publishes at the rate that takes half of one
processor, and says which share of the spans was exported.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from time import perf_counter, process_time
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from bench.burst import BURST
from bench.outcome import execute
from bench.path import Path
from bench.table import Gate, Row
from loom.telemetry import Options, Settings, Telemetry, setup
from loom.telemetry.capture import MemoryMetrics
from loom.telemetry.otlp import Exporters

SECONDS = 3.0
LOAD = 0.5
PUNCTUAL = 0.95
"""Share of the planned rate below which a loss proves nothing: somebody else had the processor."""
CALIBRATION = 50
"""Bursts."""
PLACES = {"on all processors": 0, "on one processor": 1}


class Encoding(SpanExporter):
    """Encodes as the real exporter does, and sends nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Encode a batch."""
        encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


def rows(rounds: int) -> list[Row]:
    """One row a place; the worst round counts."""
    outcomes: dict[str, list[Mapping[str, Any]]] = {place: [] for place in PLACES}
    for _ in range(rounds):
        for place, processors in PLACES.items():
            outcomes[place].append(execute([sys.executable, "-m", "bench.export", str(processors)]))
    return [row(place, found) for place, found in outcomes.items()]


def row(place: str, outcomes: Sequence[Mapping[str, Any]]) -> Row:
    """The share of the spans that were exported; void when a run failed or lost count."""
    gate = Gate(f"full path at half load, {place}", "spans exported / spans sampled", 1.0, judge=min)
    voids = [void for outcome in outcomes if (void := _void(outcome))]
    if voids or not outcomes:
        return Row(gate, [], voids[0] if voids else "not measured")
    loads = [outcome["load"] for outcome in outcomes]
    return Row(gate, [outcome["share"] for outcome in outcomes], note=f"load up to {max(loads):.0%}")


def _void(outcome: Mapping[str, Any]) -> str:
    if "failed" in outcome:
        return str(outcome["failed"])
    if outcome["balance"] != outcome["created"]:
        return f"{outcome['created']} spans created, {outcome['balance']} accounted for"
    if outcome["share"] < 1 and outcome["punctual"] < PUNCTUAL:
        return f"the machine is busy: only {outcome['punctual']:.0%} of the planned rate was reached"
    return ""


async def publish(telemetry: Telemetry, bursts: int, rate: float) -> float:
    """So many bursts, at so many events a second; the seconds it took."""
    async with AsyncExitStack() as stack:
        path = Path(telemetry)
        await path.start(stack)
        started = perf_counter()
        for burst in range(1, bursts + 1):
            await path.burst()
            await asyncio.sleep(max(started + burst * BURST / rate - perf_counter(), 0))
        return perf_counter() - started


def make() -> Telemetry:
    """Telemetry that keeps every trace, with the usual queue."""
    return setup(Settings(), Options(periodic=False), Exporters(Encoding(), MemoryMetrics()))


def calibrate() -> float:
    """Seconds of processor time an event, its spans' export included."""
    telemetry = make()
    started = process_time()
    asyncio.run(publish(telemetry, CALIBRATION, float("inf")))
    telemetry.shutdown(60)
    return (process_time() - started) / CALIBRATION / BURST


def main(processors: int) -> None:
    """One run; 0 processors are all there are."""
    if processors and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-processors:])
    rate = LOAD / calibrate()
    telemetry = make()
    bursts = int(rate * SECONDS / BURST)
    used = process_time()
    took = asyncio.run(publish(telemetry, bursts, rate))
    telemetry.shutdown(60)
    ledger = telemetry.ledger
    outcome = {
        "created": ledger.created,
        "balance": ledger.exported + sum(ledger.lost.values()),
        "share": ledger.exported / ledger.created,
        "load": (process_time() - used) / took,
        "punctual": bursts * BURST / rate / took,
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(int(sys.argv[1]))
