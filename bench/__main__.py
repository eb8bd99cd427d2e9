"""`python -m bench` measures everything and prints the table; 1 when a gate is broken or a run is void."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from time import monotonic

from bench import breakdown, bring_up, delivery, export, peer_environment, pipeline, startup
from bench.table import Row, exit_code, render

SECTIONS = ("delivery", "export", "startup", "bring-up", "pipeline")
"""What can be measured alone."""
ROUNDS = 7
EXPORT_ROUNDS = 2
"""At most: each is seconds long, and the worst one counts, whatever their number."""
BRING_UP_ROUNDS = 2
"""At most: each takes about twenty seconds."""
PIPELINE_ROUNDS = 5
"""At most: each takes about fifteen seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds; the median counts")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="a section; may be repeated")
    parser.add_argument(
        "--peer-python",
        default=os.environ.get("BENCH_PEER_PYTHON", ""),
        help="an interpreter that has autogen-core; made with uv when none is given",
    )
    options = parser.parse_args(arguments)
    measures: dict[str, Callable[[], list[Row]]] = {
        "delivery": lambda: _deliver(options.rounds, options.peer_python),
        "export": lambda: export.rows(min(options.rounds, EXPORT_ROUNDS)),
        "startup": lambda: startup.rows(options.rounds),
        "bring-up": lambda: bring_up.rows(min(options.rounds, BRING_UP_ROUNDS)),
        "pipeline": lambda: pipeline.rows(min(options.rounds, PIPELINE_ROUNDS)),
    }
    rows: list[Row] = []
    for section in options.only or SECTIONS:
        began = monotonic()
        rows += measures[section]()
        print(f"{section}: {monotonic() - began:.0f} s", file=sys.stderr)
    print(render(rows))
    return exit_code(rows)


def _deliver(rounds: int, peer_python: str) -> list[Row]:
    outcomes = delivery.collect(rounds, peer_environment.interpreter(peer_python))
    return delivery.rows(outcomes) + breakdown.rows([outcome["path"] for outcome in outcomes])


if __name__ == "__main__":
    sys.exit(main())
