"""From what processes measured to ratios: block by block, and nothing concluded from a run that is void."""

import json
import sys

import pytest

from bench import breakdown, delivery
from bench.outcome import Outcome, execute, run
from bench.rival import PEER
from bench.table import exit_code

COSTS = {
    "yardstick": 0.5,
    "queue": 1.0,
    "bus": 2.0,
    "router": 1.0,
    "broker": 3.0,
    "plain": 8.0,
    "off": 10.0,
    "1 %": 10.0,
    "10 %": 16.0,
    "100 %": 64.0,
    PEER: 96.0,
}


def outcome(costs: dict[str, float] = COSTS, wrong: dict[str, str] | None = None) -> Outcome:
    return Outcome({name: [cost, cost] for name, cost in costs.items()}, wrong or {})


def everything(outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(delivery.BLOCKS, outcome)


def test_a_ratio_is_of_events_a_second() -> None:
    assert outcome().ratio("plain", PEER) == 12.0


def test_a_ratio_compares_blocks_that_were_measured_side_by_side() -> None:
    # A neighbour makes everything ten times as slow, each time for another half of the blocks.
    noisy = Outcome({"fast": [1.0, 10.0, 1.0, 10.0], "slow": [2.0, 20.0, 2.0, 20.0]})
    assert noisy.ratio("fast", "slow") == 2.0


def test_every_gate_has_a_row_that_names_what_is_compared() -> None:
    rows = delivery.rows([everything(outcome())])
    assert [row.gate for row in rows] == [race.gate for race in delivery.RACES]
    assert len({(row.gate.name, row.gate.compared) for row in rows}) == len(rows)
    assert not any(row.void for row in rows)


def test_a_contestant_that_recorded_wrongly_voids_every_row_it_is_part_of() -> None:
    rounds = [everything(outcome()), everything(outcome(wrong={"10 %": "published 1 instead of 2"}))]
    for race, row in zip(delivery.RACES, delivery.rows(rounds), strict=True):
        assert bool(row.void) == ("10 %" in {race.fast, race.slow})
        assert row.kept <= (not row.void)


def test_without_the_peer_its_gates_are_void_and_no_others() -> None:
    alone = outcome({name: cost for name, cost in COSTS.items() if name != PEER})
    for race, row in zip(delivery.RACES, delivery.rows([everything(alone)]), strict=True):
        assert bool(row.void) == (race.slow == PEER)


@pytest.mark.parametrize("rounds", [[], [everything(Outcome(failed="killed"))]])
def test_nothing_measured_keeps_no_gate(rounds: list[dict[str, Outcome]]) -> None:
    rows = delivery.rows(rounds) + breakdown.rows([each["path"] for each in rounds])
    assert not any(row.kept for row in rows)
    assert exit_code(rows) == 1


def test_the_components_and_the_telemetry_add_up_to_the_whole() -> None:
    ratios = {row.gate.name.partition(": ")[2]: row.ratio for row in breakdown.rows([outcome()])}
    whole = ratios.pop("the whole, 10 % sampled")
    assert ratios.pop("telemetry, tracing off") == 4.0
    assert sum(ratios.values()) == whole == 32.0


def test_a_component_that_became_much_slower_is_the_one_that_is_named() -> None:
    slow = {**COSTS, "router": 11.0, "plain": 18.0, "off": 20.0, "10 %": 26.0}
    rows = breakdown.rows([outcome(slow)])
    assert [row.gate.name for row in rows if not row.kept] == ["cost an event: router"]


def test_a_process_that_fails_is_void_and_says_why() -> None:
    assert "boom" in run([sys.executable, "-c", "raise SystemExit('boom')"]).void("plain")
    assert execute([sys.executable, "-c", "pass"])["failed"]
    assert execute(["/nonexistent/python", "-c", "pass"])["failed"]


def test_an_outcome_is_one_line_of_json() -> None:
    line = Outcome({"plain": [1.5]}, {"off": "why"}, "late").dump()
    assert Outcome(**json.loads(line)) == Outcome({"plain": [1.5]}, {"off": "why"}, "late")
