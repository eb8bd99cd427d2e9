"""The event bus and the action broker with their telemetry, in one short run.

Every metric and span of both is exercised, every drop reason and call status once or more, and the numbers
are known beforehand, so that what arrives in Prometheus can be compared with what was done.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 python -m loom.examples.bus_and_broker --events 300
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence

from loom.examples import broker_tour, bus_tour, service
from loom.examples.tally import Done
from loom.telemetry import Options, Settings, from_environ, setup

LEAST = 60
"""Fewer events could not show everything."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run it; the exit code, as `service` says."""
    parser = argparse.ArgumentParser(prog="python -m loom.examples.bus_and_broker", description=__doc__)
    parser.add_argument("--events", type=int, default=300, help=f"how many to publish, at least {LEAST}")
    parser.add_argument("--overflow", action="store_true", help="also spend the budget of one attribute")
    options = parser.parse_args(arguments)
    if options.events < LEAST:
        parser.error(f"--events must be at least {LEAST}")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(module)s: %(message)s", stream=sys.stderr)
    chosen = service.surroundings(environ, "loom-example")
    return service.start(
        lambda: from_environ(chosen),
        lambda settings: _run(settings, options.events, overflow=options.overflow),
    )


async def _run(settings: Settings, events: int, *, overflow: bool) -> int:
    """The exit code: 0 when everything arrived."""
    telemetry = setup(settings, Options(globally=True))
    done = Done()
    try:
        await bus_tour.show(telemetry, events, done)
        await broker_tour.show(telemetry, done, overflow=overflow)
    finally:
        arrived = await telemetry.close()
    ledger = telemetry.ledger
    print(f"published {done.published} events")
    print(f"delivered {done.delivered}, dropped {sum(done.dropped.values())}: {dict(done.dropped)}")
    print(f"called {sum(done.calls.values())} times: {dict(done.calls)}, {done.hits} from the cache")
    print(f"sampled {telemetry.tracing.roots} traces ({settings.sampling} of new ones)")
    print(f"sent {ledger.exported} of {ledger.created} spans")
    print("everything arrived" if arrived else "not everything arrived")
    summary = {
        "service": settings.service_name,
        "published": done.published,
        "published_by_qos": done.published_by_qos,
        "delivered": done.delivered,
        "dropped": done.dropped,
        "calls": done.calls,
        "cache_hits": done.hits,
        "executed": done.executed,
        "traces": telemetry.tracing.roots,
        "spans": {"created": ledger.created, "exported": ledger.exported, "lost": ledger.lost},
        "arrived": arrived,
    }
    print(json.dumps(summary, sort_keys=True))
    return 0 if arrived else 1


if __name__ == "__main__":
    sys.exit(main())
