"""The rows about the collector's cost: arithmetic, what voids them, and how items are counted."""

from pathlib import Path

import pytest
import yaml

from bench import pipeline, pipeline_render
from bench.pipeline import DISK, MEMORY, PLAIN, Burst
from bench.pipeline_collectors import _counting, _receiver, total
from bench.pipeline_load import SIGNALS, Target, _whither
from bench.table import exit_code
from loom.deploy import api
from loom.errors import EngineError

TICK = 0.01
SPANS, POINTS = SIGNALS


def measured(**changes: Burst) -> dict[str, Burst]:
    """Half the cost with the queue in memory, as much again with the queue on disk."""
    usual = {
        "plain": Burst(100_000, 100_000, 1.0),
        "memory": Burst(100_000, 100_000, 0.5),
        "disk": Burst(50_000, 50_000, 0.625),
    }
    named = {"plain": PLAIN, "memory": MEMORY, "disk": DISK}
    return {named[key]: burst for key, burst in {**usual, **changes}.items()}


def test_a_ratio_is_of_items_a_second_of_processor_time_however_many_there_were() -> None:
    memory, disk, arrival = pipeline.judge(SPANS, [measured()], TICK)
    assert (memory.ratio, disk.ratio, arrival.ratio) == (2.0, 0.8, 1.0)
    assert exit_code([memory, disk, arrival]) == 0
    assert "5.0 µs, plain 10.0 µs" in memory.note
    assert "150000 spans" in arrival.note


def test_each_gate_is_broken_by_its_own_queue_only() -> None:
    slow = measured(disk=Burst(50_000, 50_000, 0.72))
    assert [row.kept for row in pipeline.judge(SPANS, [slow] * 3, TICK)] == [True, False, True]
    slow = measured(memory=Burst(100_000, 100_000, 0.84))
    assert [row.kept for row in pipeline.judge(SPANS, [slow] * 3, TICK)] == [False, True, True]


@pytest.mark.parametrize("arrived", [49_999, 50_001])
def test_one_item_lost_or_doubled_in_one_round_breaks_the_gate(arrived: int) -> None:
    odd = measured(disk=Burst(50_000, arrived, 0.625))
    *costs, arrival = pipeline.judge(SPANS, [measured(), odd, measured()], TICK)
    assert all(row.kept for row in costs)
    assert arrival.verdict.startswith("BROKEN")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"plain": Burst(100_000, 99_999, 1.0)}, "100000 acknowledged, 99999 arrived"),
        ({"memory": Burst(0, 0, 0.5)}, "nothing was acknowledged"),
        ({"memory": Burst(100_000, 100_000, 0.05)}, "only 0.05 s of processor time"),
        ({"disk": Burst(140_000, 140_000, 1.0, sent=140_001)}, "140001 sent, 140000 acknowledged"),
    ],
)
def test_what_proves_nothing_voids_every_row(changes: dict[str, Burst], why: str) -> None:
    rows = pipeline.judge(POINTS, [measured(), measured(**changes)], TICK)
    assert all(row.verdict.startswith("VOID") and why in row.verdict for row in rows)


def test_nothing_measured_keeps_no_gate() -> None:
    assert not any(row.kept for row in pipeline.judge(SPANS, [], TICK))


def test_a_collector_that_does_not_start_voids_all_but_the_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        message = "otelcol is not installed"
        raise EngineError(message)

    monkeypatch.setattr(pipeline, "started", fail)
    rows = pipeline._through(1)
    assert [row.verdict for row in rows] == ["VOID: otelcol is not installed"] * 3 * len(SIGNALS)


SCRAPED = """\
# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver="otlp/memory-jaeger",transport="grpc"} 1.5e+06
otelcol_receiver_accepted_spans{receiver="otlp/disk-jaeger",transport="grpc"} 20
otelcol_receiver_accepted_spans{receiver="otlp/disk-jaeger",transport="http"} 1
otelcol_receiver_accepted_spans_else{receiver="otlp/disk-jaeger",transport="grpc"} 7
"""


def test_items_are_counted_by_the_receiver_that_got_them() -> None:
    name = SPANS.series.name
    assert total(SCRAPED, name) == 1_500_021
    assert total(SCRAPED, name, ["otlp/disk-jaeger", "otlp/disk-prometheus"]) == 21
    assert total("", name) == 0


def test_whoever_counts_names_its_series_as_our_contract_does() -> None:
    tree = _counting({"otlp/one": _receiver("grpc", "127.0.0.1:4317")}, "127.0.0.1:8888")
    reader = tree["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"]
    assert reader["port"] == 8888
    assert reader["without_type_suffix"] is True


def test_ours_is_sent_to_with_a_certificate_and_the_plain_one_without() -> None:
    ours, plain = _whither(Target("a:1", Path("/secrets/loom"))), _whither(Target("a:1"))
    assert {"--mtls", "/secrets/loom/ca.pem", "/secrets/loom/cert.pem"} <= set(ours)
    assert "--otlp-insecure" in plain
    assert "--otlp-insecure" not in ours


def test_a_burst_is_as_many_items_as_its_commands_make() -> None:
    made = [int(command[2]) for command in POINTS.commands]
    assert (sum(made), POINTS.exact) == (POINTS.items, True)
    traces = SPANS.commands[0]
    assert int(traces[2]) * (int(traces[4]) + 1) == SPANS.items


def test_everything_is_laid_on_what_production_is() -> None:
    text = yaml.safe_load(pipeline_render.EVERYTHING.read_text())
    assert text["extends"] == "prod"
    plan, prod = api.load_plan(pipeline_render.EVERYTHING), api.load_plan("prod")
    assert set(prod.services) < set(plan.services)


def test_rendering_is_compared_turn_by_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {"everything": 3.0, "dev": 2.0}
    monkeypatch.setattr(pipeline_render, "_cost", lambda plan: costs[plan.profile.name])
    monkeypatch.setattr(pipeline_render, "render", lambda _: ("one", "two"))
    (row,) = pipeline_render.rows(2)
    assert (row.ratio, row.kept, len(row.ratios)) == (1.5, True, 2 * pipeline_render.TURNS)
    costs["dev"] = 1.0
    assert not pipeline_render.rows(1)[0].kept
