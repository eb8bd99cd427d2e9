"""The rows about what telemetry costs on its way through our production collector.

Items (spans or metric points) a second of the collector's own processor time, compared with the same
program on the plainest configuration there is: OTLP in, OTLP out, the default queue, no TLS. Both take what
telemetrygen sends and hand it on, burst by burst, side by side; another collector counts what arrives.
What a collector has acknowledged must arrive, once.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import pipeline_render
from bench.pipeline_collectors import Running, started
from bench.pipeline_load import SIGNALS, Signal, send
from bench.table import Gate, Row
from loom.errors import LoomError

PLAIN, MEMORY, DISK = "plain", "queue in memory", "queue on disk"
LEAST = {MEMORY: 1.2, DISK: 0.7}
"""Ratios: batches save more than TLS and the limiter cost; a queue on disk writes and reads all once more."""
FEWEST_TICKS = 10
"""Of the system's clock, in which processor time is counted: less than this is no measurement."""
WARM = 1
"""Rounds before the measured ones."""
_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of one burst of one signal through one collector."""

    acknowledged: int
    """Items that the collector took."""
    arrived: int
    """Items that were counted behind it."""
    seconds: float
    """Of its processor time, user and system, all threads."""
    sent: int = 0
    """What the generator must have sent; 0 where it drops what it cannot hand over in time."""

    @property
    def cost(self) -> float:
        """Seconds of processor time an item."""
        return self.seconds / self.acknowledged

    def void(self, tick: float) -> str:
        """Why it proves nothing; empty when it does."""
        if not self.acknowledged:
            return "nothing was acknowledged"
        if self.sent and self.acknowledged != self.sent:
            return f"{self.sent} sent, {self.acknowledged} acknowledged"
        if self.seconds < FEWEST_TICKS * tick:
            return f"only {self.seconds:g} s of processor time for {self.acknowledged} items"
        return ""


Round = dict[str, Burst]
"""Collector → its burst; one signal, side by side."""


def rows(rounds: int) -> list[Row]:
    """A signal's three: what it costs with either queue, whether all has arrived. And one about rendering."""
    return [*_through(rounds), *pipeline_render.rows(rounds)]


def _through(rounds: int) -> list[Row]:
    try:
        with tempfile.TemporaryDirectory() as folder, started(Path(folder), (PLAIN, MEMORY, DISK)) as running:
            measured = _measure(running, rounds)
            tick = running.tick
    except LoomError as error:
        void = " ".join(str(error).split())
        return [Row(gate, [], void) for signal in SIGNALS for gate in gates(signal)]
    return [row for signal in SIGNALS for row in judge(signal, measured[signal], tick)]


def _measure(running: Running, rounds: int) -> dict[Signal, list[Round]]:
    measured: dict[Signal, list[Round]] = {signal: [] for signal in SIGNALS}
    for number in range(-WARM, rounds):
        for signal, found in measured.items():
            # Each is first as often as it is last: a neighbour on the machine favours none.
            names = list(running.collectors)[:: 1 if number % 2 else -1]
            bursts = {name: _burst(running, name, signal) for name in names}
            if number >= 0:
                found.append(bursts)
    return measured


def _burst(running: Running, name: str, signal: Signal) -> Burst:
    collector = running.collectors[name]
    before, used = running.counts(name, signal), collector.processor_seconds()
    send(collector.target, signal)
    after = running.settle(name, signal, before)
    seconds = collector.processor_seconds() - used
    taken, arrived = (new - old for new, old in zip(after, before, strict=True))
    return Burst(taken, arrived, seconds, signal.items if signal.exact else 0)


def gates(signal: Signal) -> list[Gate]:
    """Those of a signal's rows."""
    found = [
        Gate(f"{signal.name} through prod, {queue}", "per CPU second / plain collector", least)
        for queue, least in LEAST.items()
    ]
    arrival = Gate(f"{signal.name} through prod", "arrived / acknowledged", 1.0, 1.0, judge=worst)
    return [*found, arrival]


def worst(shares: Sequence[float]) -> float:
    """The share furthest from all of them, once each: a loss, or what arrived twice."""
    return max(shares, key=lambda share: abs(share - 1))


def judge(signal: Signal, rounds: Sequence[Round], tick: float) -> list[Row]:
    """A signal's rows; void when a burst proves nothing, or even the plain collector lost something."""
    *costs, arrival = gates(signal)
    if void := _void(rounds, tick):
        return [Row(gate, [], void) for gate in (*costs, arrival)]
    found = [_cost(gate, queue, rounds) for gate, queue in zip(costs, LEAST, strict=True)]
    ours = [one[queue] for one in rounds for queue in LEAST]
    shares = [burst.arrived / burst.acknowledged for burst in ours]
    return [*found, Row(arrival, shares, note=f"{sum(burst.acknowledged for burst in ours)} {signal.name}")]


def _cost(gate: Gate, queue: str, rounds: Sequence[Round]) -> Row:
    ratios = [one[PLAIN].cost / one[queue].cost for one in rounds]
    ours, plain = (median(one[name].cost for one in rounds) * _MICRO for name in (queue, PLAIN))
    return Row(gate, ratios, note=f"{ours:.1f} µs, plain {plain:.1f} µs")


def _void(rounds: Sequence[Round], tick: float) -> str:
    if not rounds:
        return "not measured"
    for one in rounds:
        for name, burst in one.items():
            if why := burst.void(tick):
                return f"{name}: {why}"
        if one[PLAIN].arrived != one[PLAIN].acknowledged:
            return f"{PLAIN}: {one[PLAIN].acknowledged} acknowledged, {one[PLAIN].arrived} arrived"
    return ""
