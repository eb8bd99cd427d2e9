"""Indicators and objectives: what they read, what is recorded of them, what is no boundary."""

import pytest

from loom.contract import canary
from loom.contract.indicator import (
    DELIVERY,
    INVOKE_SUCCESS,
    ROOM,
    TOOL_SUCCESS,
    bound,
    freshness,
    invoke_latency,
    slow,
)
from loom.contract.metrics import ALL, action_broker, event_bus
from loom.contract.naming import Naming, Style
from loom.contract.objective import FAMILIES, SLO, WINDOWS, Objective, group, recordings

INDICATORS = (DELIVERY, INVOKE_SUCCESS, invoke_latency(1.0), TOOL_SUCCESS, freshness(300.0))
OBJECTIVES = tuple(Objective(one, 0.99, "28d", 28 * 86_400, 10, 30 * 86_400) for one in INDICATORS)


@pytest.mark.parametrize("naming", [Naming(), Naming(Style.PROMETHEUS, "loom")], ids=str)
@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: one.indicator.name)
def test_what_is_recorded_reads_what_exists_and_has_the_labels_it_says(
    naming: Naming, objective: Objective
) -> None:
    known = {one.name for metric in ALL for one in naming.all_series(metric)}
    known |= {one.name for one in (*FAMILIES, *canary.ALL)}
    for recording in recordings(naming, objective):
        assert {one.name for one in recording.expression.series} <= known
        carried = recording.expression.labels | {name for name, _ in recording.labels}
        assert carried >= set(recording.series.labels)


def test_no_two_rules_record_the_same() -> None:
    found = [(rule.series.name, rule.labels) for rule in group(Naming(), OBJECTIVES).recordings]
    assert len(found) == len(set(found))
    assert {name for name, _ in found} == {series.name for series in FAMILIES}


def test_a_rule_comes_after_those_it_reads() -> None:
    for objective in OBJECTIVES:
        written: set[str] = set()
        own = {series.name for series in FAMILIES}
        for rule in recordings(Naming(), objective):
            assert {one.name for one in rule.expression.series} & own <= written
            written.add(rule.series.name)


@pytest.mark.parametrize(("period", "kept", "longest"), [(28, 30, "3d"), (28, 2, "1d"), (1, 30, "1d")])
def test_windows_fit_into_the_objective_and_into_what_is_kept(period: int, kept: int, longest: str) -> None:
    objective = Objective(DELIVERY, 0.99, f"{period}d", period * 86_400, 10, kept * 86_400)
    assert objective.windows[-1] == longest
    assert set(objective.windows) <= set(WINDOWS)


def test_a_latency_between_two_boundaries_is_refused() -> None:
    with pytest.raises(ValueError, match="no boundary"):
        invoke_latency(1.5)
    with pytest.raises(ValueError, match="no boundary"):
        slow(event_bus.DROPPED, 1.0)


@pytest.mark.parametrize(("seconds", "text"), [(0.25, 'le="0.25"'), (30.0, 'le=~"30|30\\\\.0"')])
def test_a_boundary_is_found_however_it_travelled(seconds: float, text: str) -> None:
    # Scraped, a whole number is 30.0; pushed, it is 30.
    assert str(bound(seconds)) == text
    assert seconds in action_broker.INVOKE_LATENCY.boundaries


def test_what_counts_as_lost_for_want_of_room_is_a_value_of_the_reason() -> None:
    assert set(ROOM.value.split("|")) < set(event_bus.DROPPED.attribute("reason").values)


def test_the_label_of_an_objective_is_on_all_that_is_recorded_of_it() -> None:
    for objective in OBJECTIVES:
        assert {rule.labels for rule in recordings(Naming(), objective)} == {
            ((SLO, objective.indicator.name),)
        }
