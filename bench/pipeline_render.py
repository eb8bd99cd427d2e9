"""The row about rendering: production with every option on, compared with what a developer has."""

import gc
from pathlib import Path
from time import process_time

from bench.table import Gate, Row
from loom.deploy import api
from loom.deploy.artifacts.render import render
from loom.deploy.plan.model import Plan
from loom.errors import LoomError

EVERYTHING = Path(__file__).parent / "everything.yaml"
"""A profile."""
MOST = 2.0
TURNS = 3
"""Of each, a round: one takes a quarter of a second."""


def rows(rounds: int) -> list[Row]:
    """One; void when a profile is refused."""
    gate = Gate("render prod with every option", "CPU time / render dev", most=MOST)
    try:
        everything, dev = api.load_plan(EVERYTHING), api.load_plan("dev")
        for plan in (everything, dev):
            render(plan)  # what is imported and compiled only once
        costs = [(_cost(everything), _cost(dev)) for _ in range(rounds * TURNS)]
    except LoomError as error:
        return [Row(gate, [], void=" ".join(str(error).split()))]
    return [Row(gate, [one / other for one, other in costs], note=_note(everything, dev))]


def _cost(plan: Plan) -> float:
    gc.collect()  # what was measured before must not be cleaned up at somebody's expense
    began = process_time()
    render(plan)
    return process_time() - began


def _note(*plans: Plan) -> str:
    return " and ".join(f"{len(render(plan))} files" for plan in plans)
