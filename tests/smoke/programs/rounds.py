"""Goes through the example `mcp_integration` in rounds, all of one process, each seen before the next begins.

A rate needs a series that grows between two scrapes: a program that does everything once shows none.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from loom.examples import agent_tour, broker_tour, bus_tour, model_tour, servers, trip
from loom.examples.expectation import Expectations
from loom.examples.tally import Done
from loom.runtime.configuration import Configuration
from loom.runtime.loom import Loom
from loom.runtime.mcp import Backoff, Options, over_sdk
from loom.runtime.orchestrator.script import Script
from loom.runtime.orchestrator.scripted import ScriptedServer

ROUNDS = 2
EVENTS = 60
PAUSE = 0.1
"""Seconds between two looks."""
SECONDS = 200.0


async def main() -> None:
    """Run it and print as JSON what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prometheus", help="host:port")
    parser.add_argument("query", help="how many spans Prometheus knows that this program has created")
    told = parser.parse_args()
    environ, expected = dict(os.environ), Expectations()
    replies = (*trip.REPLIES, *model_tour.REPLIES) * ROUNDS
    with ScriptedServer(Script(replies)) as model:
        configuration = replace(
            Configuration.from_environ(environ),
            landscape=agent_tour.LANDSCAPE,
            estimator=agent_tour.ESTIMATOR,
            servers=(),
            mcp=Options(Backoff(first=0.2), connect=over_sdk(environ)),
            model=model.settings(),
        )
        async with asyncio.timeout(SECONDS), Loom(configuration) as loom:
            for _ in range(ROUNDS):
                await _go_round(loom, environ, expected)
                await _is_seen(loom, told.prometheus, told.query)
    sys.stdout.write("\n" + json.dumps({"unmet": expected.unmet, "arrived": loom.arrived}))


async def _go_round(loom: Loom, environ: Mapping[str, str], expected: Expectations) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with servers.running_trains(loom, environ) as trains:
            await servers.connect(loom, trains, Path(folder) / "refuse")
            await trip.tell(loom, expected)
            await loom.agents.delete("desk")  # so that the next round may have one
        await model_tour.show(loom, expected)
        await agent_tour.show(loom, expected)
        await loom.servers.remove_server(servers.WEATHER)
    await bus_tour.show(loom.telemetry, EVENTS, Done())
    await broker_tour.show(loom.telemetry, Done(), overflow=False)


async def _is_seen(loom: Loom, address: str, query: str) -> None:
    """Return when Prometheus has what the program has now: all metrics are exported together."""
    while True:
        if await asyncio.to_thread(_ask, address, query) >= loom.telemetry.ledger.created:
            return
        await asyncio.sleep(PAUSE)


def _ask(address: str, query: str) -> float:
    encoded = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"http://{address}/api/v1/query?{encoded}", timeout=60) as answer:
        rows = json.load(answer)["data"]["result"]
    return float(rows[0]["value"][1]) if rows else 0.0


if __name__ == "__main__":
    asyncio.run(main())
