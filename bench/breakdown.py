"""The rows about where an event's time goes on the full path, component by component.

Bus, router and broker are measured alone, each in the blocks beside those of the whole path; what is left of
the path without telemetry is the agent's. Telemetry is the difference between the path with it and without.
The yardstick is one item put into an asyncio.Queue and taken out again. Limits are twice what was measured
when they were set, so that a component that becomes twice as slow is named.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.outcome import Outcome
from bench.table import Gate, Row

YARDSTICK = "yardstick"
WHOLE = "10 %"
"""The path that shares refer to."""
_MICRO = 1e6

Costs = Mapping[str, float]
"""Contestant → seconds an event, in one block."""


def _part(name: str) -> Callable[[Costs], float]:
    return lambda costs: costs[name]


def _agent(costs: Costs) -> float:
    return costs["plain"] - costs["bus"] - costs["router"] - costs["broker"]


def _over_plain(name: str) -> Callable[[Costs], float]:
    return lambda costs: costs[name] - costs["plain"]


def _gate(name: str, most: float) -> Gate:
    return Gate(f"cost an event: {name}", "time / asyncio.Queue put + get", most=most)


PARTS: Sequence[tuple[Gate, Callable[[Costs], float]]] = (
    (_gate("bus", 10), _part("bus")),
    (_gate("router", 3.2), _part("router")),
    (_gate("agent", 20), _agent),
    (_gate("broker", 30), _part("broker")),
    (_gate("telemetry, tracing off", 10), _over_plain("off")),
    (_gate("telemetry, 10 % sampled", 56), _over_plain(WHOLE)),
    (_gate("the whole, 10 % sampled", 120), _part(WHOLE)),
)


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """One row a part, from the outcomes of the contest `path`; void when one of them is."""
    names = (YARDSTICK, "bus", "router", "broker", "plain", "off", WHOLE)
    voids = [void for outcome in outcomes if (void := outcome.void(*names))]
    if voids or not outcomes:
        return [Row(gate, [], voids[0] if voids else "not measured") for gate, _ in PARTS]
    return [_row(gate, part, outcomes) for gate, part in PARTS]


def _row(gate: Gate, part: Callable[[Costs], float], outcomes: Sequence[Outcome]) -> Row:
    rounds = [_blocks(outcome) for outcome in outcomes]
    ratios = [median(part(block) / block[YARDSTICK] for block in blocks) for blocks in rounds]
    seconds = median(median(map(part, blocks)) for blocks in rounds)
    share = median(median(part(block) / block[WHOLE] for block in blocks) for blocks in rounds)
    return Row(gate, ratios, note=f"{seconds * _MICRO:.2f} µs, {share:.0%} of the whole")


def _blocks(outcome: Outcome) -> list[Costs]:
    names = list(outcome.costs)
    return [dict(zip(names, block, strict=True)) for block in zip(*outcome.costs.values(), strict=True)]
