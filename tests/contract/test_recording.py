"""Recorded series."""

import pytest

from loom.contract import scopes
from loom.contract.metric import Kind
from loom.contract.metrics import ALL
from loom.contract.naming import Naming, Style
from loom.contract.recording import FAILURES, groups, rate, series


def test_every_counter_has_a_recorded_rate_and_every_latency_its_quantiles() -> None:
    names = {found.name for found in series(Naming())}
    for metric in ALL:
        stem = f"job:{Naming().base(metric).removesuffix('_total')}"
        if metric.kind is Kind.COUNTER:
            assert f"{stem}:rate5m" in names
        if metric.kind is Kind.HISTOGRAM and metric.unit == "s":
            assert {f"{stem}:p{quantile}_rate5m" for quantile in (50, 95, 99)} <= names


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("namespace", ["", "loom"])
def test_a_recorded_series_is_recorded_once_and_reads_what_exists(style: Style, namespace: str) -> None:
    naming = Naming(style, namespace)
    known = {found.name for metric in ALL for found in naming.all_series(metric)}
    recorded = [found.name for found in series(naming)]
    assert len(recorded) == len(set(recorded))
    for group in groups(naming):
        for recording in group.recordings:
            read = {found.name for found in recording.expression.series}
            assert read <= known | set(recorded)
            assert recording.expression.labels >= set(recording.series.labels)


def test_a_group_for_each_component() -> None:
    assert [group.name for group in groups(Naming())] == list(scopes.ALL)


def test_a_rate_keeps_closed_sets_and_drops_what_has_a_budget() -> None:
    for metric in ALL:
        if metric.kind is Kind.COUNTER:
            kept = set(rate(Naming(), metric).series.labels)
            assert not kept & {attribute.label for attribute in metric.attributes if attribute.budget}


def test_what_counts_as_good_is_a_value_of_the_attribute() -> None:
    for failure in FAILURES:
        assert set(failure.good) < set(failure.attribute.values)
