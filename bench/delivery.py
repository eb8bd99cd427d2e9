"""The rows about events a second: the bus, the fan-out and the full path, against one another and a peer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.outcome import Outcome, contest
from bench.rival import PEER
from bench.table import Gate, Row

PEER_VERSION = "autogen-core 0.7.5 without a tracer"
BLOCKS = {"bus": 40, "fan-out": 40, "path": 20}
"""Contest → blocks a round: a second or two."""

NONE = "without telemetry (OTEL_SDK_DISABLED)"


@dataclass(frozen=True, slots=True)
class Race:
    """One gate: how many of its events the fast one handles in the time of one of the slow one's."""

    gate: Gate
    contest: str
    fast: str
    slow: str


def _race(contest: str, fast: str, slow: str, least: float) -> Race:
    what = {"bus": "bus", "fan-out": "bus, 1 to 8", "path": "full path"}[contest]
    names = {"plain": NONE, "off": "metrics, tracing off", "queue": "an asyncio.Queue per subscriber"}
    shown = names.get(fast, f"metrics, {fast} sampled")
    against = PEER_VERSION if slow == PEER else names[slow]
    return Race(Gate(f"{what}: {shown}", f"events/s / {against}", least), contest, fast, slow)


RACES = (
    _race("bus", "plain", "queue", 0.4),
    _race("bus", "off", "plain", 0.7),
    _race("bus", "10 %", "plain", 0.3),
    _race("bus", "100 %", "plain", 0.06),
    _race("bus", "10 %", PEER, 5.0),
    _race("fan-out", "plain", "queue", 0.8),
    _race("fan-out", "off", "queue", 0.7),
    _race("fan-out", "10 %", "queue", 0.5),
    _race("path", "off", "plain", 0.7),
    _race("path", "1 %", "plain", 0.6),
    _race("path", "10 %", "plain", 0.4),
    _race("path", "100 %", "plain", 0.1),
    _race("path", "10 %", PEER, 5.0),
)

Rounds = Sequence[Mapping[str, Outcome]]
"""A round: contest → its outcome."""


def collect(rounds: int, peer: str) -> Rounds:
    """Every contest once a round, in turns; `peer` is the interpreter that has autogen-core, or empty."""
    return [
        {name: contest(name, blocks, "" if name == "fan-out" else peer) for name, blocks in BLOCKS.items()}
        for _ in range(rounds)
    ]


def rows(rounds: Rounds) -> list[Row]:
    """One row a race; void as soon as one of its runs was."""
    return [_row(race, [outcomes[race.contest] for outcomes in rounds]) for race in RACES]


def _row(race: Race, outcomes: Sequence[Outcome]) -> Row:
    voids = [void for outcome in outcomes if (void := outcome.void(race.fast, race.slow))]
    if voids or not outcomes:
        return Row(race.gate, [], voids[0] if voids else "not measured")
    return Row(race.gate, [outcome.ratio(race.fast, race.slow) for outcome in outcomes])
