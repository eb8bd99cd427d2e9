"""The names that the contract computes are those that the real collector and Prometheus show."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from loom.contract.metrics import ALL
from loom.contract.resource import ENVIRONMENT, ENVIRONMENT_LABEL
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]
COMBINATIONS = list(product(("documented", "prometheus"), ("", "loom"), ("scrape", "otlp")))


@pytest.mark.parametrize(("naming", "namespace", "delivery"), COMBINATIONS)
def test_prometheus_shows_exactly_the_computed_series_and_labels(
    start: Callable[..., Any], naming: str, namespace: str, delivery: str
) -> None:
    stack = start(
        "dev",
        f"metrics.naming={naming}",
        f"metrics.namespace={namespace}",
        f"metrics.delivery={delivery}",
        "metrics.scrape_interval=1s",
        "alerting.slo.window=1d",
    )
    expected = {
        series.name: set(series.labels) for metric in ALL for series in stack.plan.naming.all_series(metric)
    }
    stack.emit(f"{ENVIRONMENT.name}=staging")

    def shown() -> list[dict[str, str]]:
        return list(stack.series('{instance="probe-1"}'))

    def names() -> dict[str, set[str]]:
        return {
            labels["__name__"]: set(labels) - {"__name__"}
            for labels in shown()
            if not labels["__name__"].endswith("target_info")
        }

    until(lambda: {*names()} >= {*expected}, lambda: f"{ {*expected} - {*names()} } are not there")
    assert names() == expected
    assert {labels[ENVIRONMENT_LABEL] for labels in shown()} == {"staging"}
    assert {labels["job"] for labels in shown()} == {"probe"}
