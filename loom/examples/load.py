"""Traffic at a steady rate, counted by the program itself: what drives the tests of a deployment.

Events go round over the topics; agents are spread over them. Every event costs its agents one call of a
capability. Faults take turns: a call that fails, and an event that nobody listens to.

    python -m loom.examples.load --rate 5000 --seconds 30 --sampler traceidratio=0.1
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from loom.contract import environment
from loom.examples import service
from loom.examples.report import report
from loom.runtime import Call, Capability, Event
from loom.runtime.agent import Action, AgentConfig, AgentContext
from loom.runtime.loom import Loom

WORK = "load.work"
NOBODY = "load.nobody"
BREATH = 0.002
"""Seconds between two bursts."""
SETTLE = 60.0
"""Seconds that agents get for what is queued at the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    rate: float
    """Events per second."""
    seconds: float
    topics: int
    agents: int
    faults: float
    """Share of the events that go wrong, 0 to 1."""

    @property
    def events(self) -> int:
        """All events."""
        return round(self.rate * self.seconds)

    def fault(self, number: int) -> int:
        """Which fault event number `number` is, from 1 on, or 0: the share is spread evenly."""
        before, after = int(number * self.faults), int((number + 1) * self.faults)
        return after if after > before else 0


@dataclass(slots=True)
class Counts:
    """What was done."""

    published: int = 0
    delivered: int = 0
    """Queues that events entered."""
    dropped: int = 0
    """Events that nobody listened to."""
    handled: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    """By status."""
    seconds: float = 0.0


class Worker:
    """Calls the capability for every event."""

    def __init__(self, counts: Counts) -> None:
        """Count there."""
        self._counts = counts

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Work."""
        result = await context.execute(Action(WORK, event.payload, reply_to=None))
        self._counts.calls[result.status.value] += 1
        self._counts.handled += 1
        return ()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run it; the exit code, as `service` says."""
    parser = argparse.ArgumentParser(prog="python -m loom.examples.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=1000, help="events per second")
    parser.add_argument("--seconds", type=float, default=10, help="for how long")
    parser.add_argument("--sampler", default="", help=f"instead of {environment.SAMPLER.name}")
    parser.add_argument("--topics", type=int, default=10)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--faults", type=float, default=0.0, help="share of the events that go wrong, 0 to 1")
    options = parser.parse_args(arguments)
    plan = Plan(options.rate, options.seconds, options.topics, options.agents, options.faults)
    if plan.events < 1 or plan.topics < 1 or plan.agents < 0 or not 0 <= plan.faults <= 1:
        parser.error("at least one event and one topic, no fewer than no agents, faults from 0 to 1")
    chosen = service.surroundings(environ, "loom-load")
    if options.sampler:
        chosen.pop(environment.STANDARD_SAMPLER.name, None)  # it would win
        chosen[environment.SAMPLER.name] = options.sampler
    return service.start(lambda: Loom.from_environment(chosen), lambda loom: _run(loom, plan))


async def _run(loom: Loom, plan: Plan) -> int:
    """The exit code: 0 when everything that was delivered was handled, and everything arrived."""
    counts = Counts()
    async with loom:
        telemetry = loom.telemetry
        loom.broker.register(Capability(WORK), _work)
        for number in range(plan.agents):
            topics = (_topic(number % plan.topics),)
            loom.agents.create(AgentConfig(f"worker{number}", "worker", topics), Worker(counts))
        await _publish(loom, plan, counts)
        await loom.agents.settle(SETTLE)
    report(telemetry, loom.configuration.telemetry, arrived=loom.arrived)
    ledger = telemetry.ledger
    rate = counts.published / counts.seconds if counts.seconds else 0.0
    print(f"published {counts.published} events, {rate:.0f} a second")
    print(f"delivered {counts.delivered}, handled {counts.handled}, dropped {counts.dropped}")
    summary = {
        "service": loom.configuration.telemetry.service_name,
        "published": counts.published,
        "delivered": counts.delivered,
        "dropped": {"no_subscriber": counts.dropped},
        "handled": counts.handled,
        "calls": counts.calls,
        "rate": round(rate, 1),
        "traces": telemetry.tracing.roots,
        "spans": {"created": ledger.created, "exported": ledger.exported, "lost": ledger.lost},
        "arrived": loom.arrived,
    }
    print(json.dumps(summary, sort_keys=True))
    return service.exit_code(loom, good=counts.handled == counts.delivered)


async def _publish(loom: Loom, plan: Plan, counts: Counts) -> None:
    """Keep to the rate; what a burst was late with the next one makes up for."""
    started = perf_counter()
    try:
        while counts.published < plan.events:
            due = min(plan.events, int((perf_counter() - started) * plan.rate) + 1)
            while counts.published < due:
                await _publish_one(loom, plan, counts)
            await asyncio.sleep(BREATH)
    finally:
        counts.seconds = perf_counter() - started


async def _publish_one(loom: Loom, plan: Plan, counts: Counts) -> None:
    number = counts.published
    fault = plan.fault(number)
    unheard = fault > 0 and fault % 2 == 0
    topic = NOBODY if unheard else _topic(number % plan.topics)
    counts.published += 1
    entered = await loom.bus.publish(topic, Event("load", fault > 0))
    counts.delivered += entered
    counts.dropped += entered == 0


async def _work(call: Call) -> None:
    if call.payload:
        message = "asked to fail"
        raise RuntimeError(message)


def _topic(number: int) -> str:
    return f"load.topic{number}"


if __name__ == "__main__":
    sys.exit(main())
