"""All of Loom in one run: event, agent, router, broker, MCP servers in other processes, a model, and back.

Every metric and span of the contract is exercised. The model is scripted, so that nothing is needed but a
collector, and not even that to see it work.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 python -m loom.examples.mcp_integration
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from loom.examples import (
    agent_tour,
    broker_tour,
    bus_tour,
    coverage,
    model_tour,
    outage_tour,
    servers,
    service,
    trip,
)
from loom.examples.expectation import Expectations
from loom.examples.report import report
from loom.examples.tally import Done
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import Backoff, over_sdk
from loom.runtime.mcp import Options as McpOptions
from loom.runtime.orchestrator import ModelSettings
from loom.runtime.orchestrator.script import Script
from loom.runtime.orchestrator.scripted import ScriptedServer

SECONDS = 50.0
EVENTS = 60
"""Events of the bus's own tour."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run it; the exit code, as `service` says."""
    parser = argparse.ArgumentParser(prog="python -m loom.examples.mcp_integration", description=__doc__)
    parser.add_argument("--overflow", action="store_true", help="also spend the budget of one attribute")
    options = parser.parse_args(arguments)
    chosen = service.surroundings(environ, "loom-example")
    with ScriptedServer(Script((*trip.REPLIES, *model_tour.REPLIES))) as model:
        return service.start(
            lambda: Loom(_configure(chosen, model.settings())),
            lambda loom: _run(loom, chosen, overflow=options.overflow),
        )


def _configure(environ: Mapping[str, str], model: ModelSettings) -> Configuration:
    """What the environment says of telemetry, logs and the like; the rest belongs to the story."""
    return replace(
        Configuration.from_environ(environ),
        landscape=agent_tour.LANDSCAPE,
        estimator=agent_tour.ESTIMATOR,
        servers=(),
        mcp=McpOptions(Backoff(first=0.2), connect=over_sdk(environ)),
        model=model,
    )


async def _run(loom: Loom, environ: Mapping[str, str], *, overflow: bool) -> int:
    """The exit code: 0 when everything went as expected and arrived."""
    expected, done = Expectations(), Done()
    settings = loom.configuration.telemetry
    trace_id = ""
    async with loom:
        telemetry = loom.telemetry
        async with asyncio.timeout(SECONDS):
            trace_id = await _tell(loom, environ, expected)
            await bus_tour.show(telemetry, EVENTS, done)
            await broker_tour.show(telemetry, done, overflow=overflow)
        print(f"lost {sum(done.dropped.values())} events on purpose: {dict(done.dropped)}")
        print(f"called capabilities of its own {sum(done.calls.values())} times: {dict(done.calls)}")
        if telemetry.enabled:
            expected.check("what was never recorded", coverage.unseen(telemetry), [])
    if loom.stopped_by:
        print(f"stopped by {loom.stopped_by.name}")
    report(telemetry, settings, arrived=loom.arrived)
    if trace_id:
        print(f"the planner's trace, through three processes, is {trace_id}")
    summary = {
        "service": settings.service_name,
        "trace_id": trace_id,
        "expectations": {"met": expected.met, "unmet": expected.unmet},
        "traces": telemetry.tracing.roots,
        "spans": {
            "created": telemetry.ledger.created,
            "exported": telemetry.ledger.exported,
            "lost": telemetry.ledger.lost,
        },
        "arrived": loom.arrived,
    }
    print(json.dumps(summary, sort_keys=True))
    return service.exit_code(loom, good=not expected.unmet)


async def _tell(loom: Loom, environ: Mapping[str, str], expected: Expectations) -> str:
    """Everything for which MCP servers are needed; the id of the planner's trace."""
    with tempfile.TemporaryDirectory() as folder:
        refuse = Path(folder) / "refuse"
        async with servers.running_trains(loom, environ) as trains:
            await servers.connect(loom, trains, refuse)
            trace_id = await trip.tell(loom, expected)
        await model_tour.show(loom, expected)
        await agent_tour.show(loom, expected)
        await outage_tour.show(loom, refuse, expected)
        await loom.servers.remove_server(servers.WEATHER)
    return trace_id


if __name__ == "__main__":
    sys.exit(main())
