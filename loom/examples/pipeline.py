"""Three agents in a row: a sensor measures, a processor judges, an output shows.

Each knows only topics, never the others, so that each could run in a process of its own. One trace follows
every measurement through all three.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 python -m loom.examples.pipeline --events 100
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from loom.examples import service
from loom.examples.report import report
from loom.runtime import Event
from loom.runtime.agent import Action, AgentConfig, AgentContext
from loom.runtime.loom import Loom

TICKS, READINGS, VERDICTS = "sensor.ticks", "sensor.readings", "processor.verdicts"
LIMIT = 30.0
"""Degrees Celsius from which on it is too hot."""
SECONDS = 60.0


class Sensor:
    """Answers every tick with a temperature: from 20 °C up to 39 °C, and from the beginning again."""

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Measure and tell."""
        number = event.payload if isinstance(event.payload, int) else 0
        await context.publish(READINGS, Event("reading", 20.0 + number % 20))
        return ()


class Processor:
    """Judges every temperature."""

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Compare with the limit and tell."""
        celsius = event.payload if isinstance(event.payload, float) else 0.0
        kind = "alarm" if celsius >= LIMIT else "fine"
        await context.publish(VERDICTS, Event(kind, celsius))
        return ()


class Output:
    """Counts what it would show; shows the first alarm."""

    def __init__(self) -> None:
        """Nothing was shown yet."""
        self.shown: Counter[str] = Counter()

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Show one verdict."""
        self.shown[event.type] += 1
        if event.type == "alarm" and self.shown["alarm"] == 1:
            hops = context.envelope.coordination.hops
            print(f"the first alarm: {event.payload} °C, {hops} hops from the tick")
        return ()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run it; the exit code, as `service` says."""
    parser = argparse.ArgumentParser(prog="python -m loom.examples.pipeline", description=__doc__)
    parser.add_argument("--events", type=int, default=100, help="how many ticks")
    events: int = parser.parse_args(arguments).events
    if events < 1:
        parser.error("--events must be at least 1")
    chosen = service.surroundings(environ, "loom-pipeline")
    return service.start(lambda: Loom.from_environment(chosen), lambda loom: _run(loom, events))


async def _run(loom: Loom, events: int) -> int:
    """The exit code: 0 when every tick came out at the other end, and everything arrived."""
    output = Output()
    async with loom:
        telemetry = loom.telemetry
        async with asyncio.timeout(SECONDS):
            loom.agents.create(AgentConfig("sensor", "sensor", (TICKS,)), Sensor())
            loom.agents.create(AgentConfig("processor", "processor", (READINGS,)), Processor())
            loom.agents.create(AgentConfig("output", "output", (VERDICTS,)), output)
            for number in range(events):
                await loom.bus.publish(TICKS, Event("tick", number))
            await loom.agents.settle(SECONDS)
    shown = output.shown
    print(f"{events} ticks, {shown.total()} verdicts: {dict(shown)}")
    report(telemetry, loom.configuration.telemetry, arrived=loom.arrived)
    summary = {"ticks": events, "shown": shown, "traces": telemetry.tracing.roots, "arrived": loom.arrived}
    print(json.dumps(summary, sort_keys=True))
    return service.exit_code(loom, good=shown.total() == events)


if __name__ == "__main__":
    sys.exit(main())
