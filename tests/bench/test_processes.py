"""Rows about whole processes and stacks: arithmetic, what voids them, and what may be left out."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as program
from bench import bring_up, delivery, export, peer_environment, startup
from bench.bring_up import BringUp
from bench.outcome import Outcome
from bench.programs import Alone
from bench.table import Gate, Row
from loom.deploy.engine import FakeEngine
from loom.errors import EngineError

GOOD = {"created": 100, "balance": 100, "share": 1.0, "load": 0.45, "punctual": 1.0}


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Our processes cost so many seconds, all others one."""

    def pretend(seconds: float) -> None:
        def cost(command: list[str], bytecode: str) -> tuple[float, str]:
            del bytecode
            bare = command[-1] in {start.theirs for start in startup.starts()}
            return (1.0 if bare else seconds), ""

        monkeypatch.setattr(startup, "cost", cost)

    return pretend


@pytest.mark.parametrize(("seconds", "kept"), [(2.0, [True, True, True]), (2.5, [True, True, False])])
def test_a_start_is_compared_with_the_imports_beside_it(
    costs: Callable[[float], None], seconds: float, kept: list[bool]
) -> None:
    costs(seconds)
    rows = startup.rows(3)
    assert [row.ratio for row in rows] == [seconds] * 3
    assert [row.kept for row in rows] == kept
    assert [len(row.ratios) for row in rows] == [3] * len(startup.starts())


def test_a_turn_that_a_neighbour_made_dear_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    dear = cycle([9.0, 1.0, 1.0, 9.0, 1.0, 1.0])  # ours and theirs, three times
    monkeypatch.setattr(startup, "cost", lambda *_: (next(dear), ""))
    assert [row.ratio for row in startup.rows(2)] == [1.0] * len(startup.starts())


def test_a_command_that_fails_voids_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "cost", lambda *_: (1.0, "it ended with 2"))
    rows = startup.rows(1)
    assert [row.void for row in rows] == ["it ended with 2"] * len(rows)


def test_a_process_that_cannot_be_started_is_a_problem_not_a_cost(tmp_path: Path) -> None:
    assert startup.cost([str(tmp_path / "missing")], str(tmp_path))[1]


def test_processes_are_measured_with_bytecode_whatever_the_machine_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert startup.cost([sys.executable, "-c", "import bench.table"], str(tmp_path))[1] == ""
    assert list(tmp_path.rglob("table*.pyc"))


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "kept"),
        ({"share": 0.999}, "BROKEN"),
        ({"balance": 99}, "VOID: 100 spans created, 99 accounted for"),
        ({"share": 0.9, "punctual": 0.5}, "VOID: the machine is busy"),
        ({"punctual": 0.5}, "kept"),
        ({"failed": "killed"}, "VOID: killed"),
    ],
)
def test_one_round_with_a_lost_span_breaks_the_gate(changes: Mapping[str, Any], verdict: str) -> None:
    row = export.row("on one processor", [GOOD, {**GOOD, **changes}, GOOD])
    assert row.verdict.startswith(verdict)


@pytest.mark.parametrize(("metric", "verdict"), [(7.9, "kept"), (8.1, "BROKEN")])
def test_a_stack_may_take_twice_what_its_programs_take_alone(
    monkeypatch: pytest.MonkeyPatch, metric: float, verdict: str, usable: FakeEngine
) -> None:
    monkeypatch.setattr(
        bring_up, "_measure", lambda _: BringUp(1.0, 2.0, metric, 1.0, Alone(ready=1.0, scraped=2.0))
    )
    row = bring_up.row(usable.name, 3)
    assert row.ratio == metric / 4.0
    assert row.verdict == verdict
    assert f"metric {metric:.1f} s" in row.note


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine that can work here."""
    engine = FakeEngine()
    monkeypatch.setattr(bring_up, "named", lambda _: engine)
    return engine


def test_an_engine_that_cannot_work_here_is_not_run_and_says_why(usable: FakeEngine) -> None:
    usable.cannot = "no daemon answers"
    assert bring_up.row(usable.name, 3).verdict == "not run: no daemon answers"
    usable.cannot, usable.lacking = "", {"jaeger": "its image is not here", "grafana": "nor is this one"}
    assert bring_up.row(usable.name, 3).verdict == "not run: jaeger: its image is not here"


def test_a_stack_that_does_not_come_up_voids_its_row(
    monkeypatch: pytest.MonkeyPatch, usable: FakeEngine
) -> None:
    def fail(_: str) -> BringUp:
        message = "no metric after 90 s"
        raise EngineError(message)

    monkeypatch.setattr(bring_up, "_measure", fail)
    assert bring_up.row(usable.name, 1).verdict == "VOID: no metric after 90 s"


def test_each_store_is_asked_until_it_has_something() -> None:
    def after(times: int) -> Iterator[bool]:
        yield from [False] * times
        while True:
            yield True

    traces, metrics = after(1), after(3)
    trace, metric = bring_up._await_both(lambda: next(traces), lambda: next(metrics), time.monotonic())
    assert 0 < trace < metric


@pytest.mark.parametrize(("share", "code"), [(1.0, 0), (0.9, 1)])
def test_the_command_ends_with_what_its_table_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], share: float, code: int
) -> None:
    rows = [Row(Gate("arrived", "arrived / sent", 1.0), [share])]
    monkeypatch.setattr(export, "rows", lambda _: rows)
    assert program.main(["--only", "export"]) == code
    assert f"{1 - code} of 1 gates kept" in capsys.readouterr().out


def test_the_peer_is_asked_for_once_and_handed_to_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    peers: list[str] = []

    def contest(name: str, blocks: int, peer: str) -> Outcome:
        del name, blocks
        peers.append(peer)
        return Outcome(failed="not here")

    monkeypatch.setattr(delivery, "contest", contest)
    monkeypatch.setattr(peer_environment, "interpreter", lambda given: f"{given}/python")
    assert program.main(["--only", "delivery", "--rounds", "2", "--peer-python", "peer"]) == 1
    assert set(peers) == {"", "peer/python"}
    assert len(peers) == 2 * len(delivery.BLOCKS)
