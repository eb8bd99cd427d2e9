"""Objectives that a profile's Prometheus could not answer for are refused, with a reason at their value."""

import pytest

from loom.contract.objective import Objective
from loom.deploy import profile
from loom.deploy.plan import derive
from loom.deploy.plan.objectives import objectives
from loom.errors import PlanError


def watched(name: str, *overrides: str) -> dict[str, Objective]:
    return {one.indicator.name: one for one in objectives(derive(profile.load(name, overrides)))}


def refused(name: str, *overrides: str) -> dict[str, str]:
    with pytest.raises(PlanError) as caught:
        derive(profile.load(name, overrides))
    return {problem.path: f"{problem.message} ({problem.hint})" for problem in caught.value.problems}


def test_what_a_profile_has_is_watched_without_a_word() -> None:
    everything = ["delivery", "invoke_success", "invoke_latency", "tool_success", "freshness"]
    assert list(watched("dev", "canary.enabled=true")) == everything
    assert list(watched("dev", "canary.enabled=false")) == everything[:-1]
    assert list(watched("dev", "canary.enabled=false", "workload.tools=0")) == everything[:-2]


def test_an_objective_says_what_it_has_of_its_own_and_takes_the_rest_from_all() -> None:
    found = watched("dev", "alerting.slo.objective=0.95", "alerting.slo.delivery.objective=0.999")
    assert {name: one.share for name, one in found.items()} == {
        "delivery": 0.999,
        "invoke_success": 0.95,
        "invoke_latency": 0.95,
        "tool_success": 0.95,
    }
    one = watched("dev", "alerting.slo.tool_success.window=1d")["tool_success"]
    assert (one.window, one.period) == ("1d", 86_400)
    assert "tool_success" not in watched("dev", "alerting.slo.tool_success.enabled=false")


@pytest.mark.parametrize(
    ("override", "missing"),
    [
        ("canary.enabled=false", "freshness: canary.enabled is false"),
        ("workload.tools=0", "tool_success: workload.tools is 0"),
    ],
)
def test_an_objective_over_what_the_profile_does_not_have_is_refused(override: str, missing: str) -> None:
    name = missing.partition(":")[0]
    found = refused("dev", override, f"alerting.slo.{name}.enabled=true")
    assert missing in found[f"$.alerting.slo.{name}.enabled"]


def test_a_window_longer_than_the_retention_time_is_refused_once_where_it_is_shared() -> None:
    assert list(refused("dev", "alerting.slo.window=8d")) == ["$.alerting.slo.window"]
    found = refused("dev", "alerting.slo.delivery.window=8d")
    assert list(found) == ["$.alerting.slo.delivery.window"]


def test_a_window_longer_than_the_retention_size_lets_samples_live_is_refused() -> None:
    found = refused("prod", "metrics.retention.size=20GB")
    assert (
        "28d is longer than samples live: 20GB are full after about 18.7 days"
        in found["$.alerting.slo.window"]
    )
    assert watched("prod", "metrics.retention.size=20GB", "alerting.slo.window=14d")


def test_a_window_that_no_burn_rate_fits_into_is_refused() -> None:
    assert "too short" in refused("dev", "alerting.slo.window=59m")["$.alerting.slo.window"]
    assert watched("dev", "alerting.slo.window=1h")


@pytest.mark.parametrize(
    ("threshold", "nearest"), [("1500ms", "1s"), ("2s", "2500ms"), ("2m", "60s"), ("4ms", "5ms")]
)
def test_a_threshold_between_two_buckets_is_refused_and_the_nearest_named(
    threshold: str, nearest: str
) -> None:
    found = refused("dev", f"alerting.slo.invoke_latency.threshold={threshold}")
    assert f"the nearest is {nearest}" in found["$.alerting.slo.invoke_latency.threshold"]


def test_a_freshness_that_no_canary_can_show_is_refused() -> None:
    found = refused("dev", "canary.enabled=true", "alerting.slo.freshness.within=1m")
    assert "two rounds" in found["$.alerting.slo.freshness.within"]
    # Nobody asks for it where there is no canary.
    assert watched("dev", "canary.enabled=false", "alerting.slo.freshness.within=1m")
