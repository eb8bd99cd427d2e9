"""Contestants side by side in a process of their own: `python -m bench.contest NAME BLOCKS PEER`.

PEER is the interpreter of the peer, or empty to do without it.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack

from bench.burst import Contestant, events, interleave
from bench.bus import Bus, Queues
from bench.outcome import Outcome
from bench.parts import Invoking, Routing, Yardstick
from bench.path import RecordedPath
from bench.recorder import Recorder
from bench.rival import PEER, Peer
from loom.runtime import ActionBroker, EventBus
from loom.telemetry import Telemetry

RATIOS = {"plain": None, "off": 0.0, "1 %": 0.01, "10 %": 0.1, "100 %": 1.0}
"""Without telemetry at all; then with all metrics and so large a share of the traces."""
BURSTS = {"bus": 20, "fan-out": 5, "path": 10}
"""Contest → bursts in a block: a few milliseconds, and some dozens for whoever records everything."""


async def enter(name: str, stack: AsyncExitStack, group: asyncio.TaskGroup) -> dict[str, Contestant]:
    """The contestants of a contest; they run until the stack is closed."""
    if name == "path":
        return await _enter_path(stack, group)
    subscribers = 8 if name == "fan-out" else 1
    contestants: dict[str, Contestant] = {"queue": Queues(group, subscribers)}
    for label, ratio in RATIOS.items():
        contestants[label] = await _enter_bus(stack, group, ratio, subscribers)
    return contestants


async def _enter_bus(
    stack: AsyncExitStack, group: asyncio.TaskGroup, ratio: float | None, subscribers: int
) -> Bus:
    recorder = _record(stack, ratio)
    bus = await stack.enter_async_context(EventBus(recorder.telemetry))
    return Bus(bus, group, recorder, subscribers)


async def _enter_path(stack: AsyncExitStack, group: asyncio.TaskGroup) -> dict[str, Contestant]:
    broker = await stack.enter_async_context(ActionBroker(Telemetry.disabled()))
    contestants: dict[str, Contestant] = {
        "yardstick": Yardstick(),
        "bus": await _enter_bus(stack, group, None, 1),
        "router": Routing(),
        "broker": Invoking(broker),
    }
    for label, ratio in RATIOS.items():
        path = RecordedPath(_record(stack, ratio))
        await path.start(stack)
        contestants[label] = path
    return contestants


def _record(stack: AsyncExitStack, ratio: float | None) -> Recorder:
    recorder = Recorder(ratio)
    stack.callback(recorder.close)
    return recorder


async def compete(name: str, blocks: int, peer: str) -> Outcome:
    """What everybody's events cost, and who recorded something else than what happened."""
    async with asyncio.TaskGroup() as group, AsyncExitStack() as stack:
        contestants = await enter(name, stack, group)
        if peer:
            contestants[PEER] = stack.enter_context(Peer(peer))
        costs = await interleave(contestants, blocks, BURSTS[name])
        return Outcome(costs, await _audit(contestants, events(blocks, BURSTS[name])))


async def _audit(contestants: Mapping[str, Contestant], handled: int) -> dict[str, str]:
    wrong = {name: await contestant.audit(handled) for name, contestant in contestants.items()}
    return {name: "; ".join(differences) for name, differences in wrong.items() if differences}


def main(name: str, blocks: int, peer: str) -> None:
    """Run one on one processor and print what came of it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(asyncio.run(compete(name, blocks, peer)).dump())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
