"""A sampler that waits makes the canary's rounds longer: what is on time must not count as missing."""

import re

import pytest

from loom.contract import canary
from loom.deploy import profile
from loom.deploy.artifacts import rules
from loom.deploy.artifacts.canary import settings
from loom.deploy.plan import Plan, derive, rounds
from loom.deploy.plan.model import Site
from loom.deploy.plan.sampling import hold_seconds
from loom.errors import PlanError

LATE = "alerting.slo.freshness.within=1h"


def waiting(wait: str, *overrides: str) -> Plan:
    tail = ("tracing.sampler=always_on", f"tracing.tail.wait={wait}", "tracing.tail.slow=null")
    load = "workload.events_per_second=10"  # what is held while it waits must fit
    return derive(profile.load("prod", (*tail, load, "canary.interval=1m", *overrides)))


@pytest.mark.parametrize("wait", ["1s", "30s", "59s", "1m", "5m"])
def test_the_canary_waits_for_the_sampler_and_its_alert_for_both(wait: str) -> None:
    plan = waiting(wait, LATE)
    told, hold = dict(settings(plan, Site.COMPOSE)), hold_seconds(plan.profile)
    patience = float(told[canary.PATIENCE.name])
    assert patience >= hold + 60
    [missing] = [one for one in rules.alerts(plan) if one.name == "CanaryMissing"]
    [limit] = map(int, re.findall(r"> (\d+)", str(missing.expression)))
    # Just before an arrival the newest one is as old as a round is long, and as the way is.
    assert limit > max(60, hold) + hold
    [failing] = [one for one in rules.alerts(plan) if one.name == "CanaryFailing"]
    [window] = map(int, re.findall(r"\[(\d+)m\]", str(failing.expression)))
    assert window * 60 / patience > 3, "rounds that fail are so long that no three are in the window"


def test_without_a_sampler_the_interval_is_all_there_is_to_wait() -> None:
    plan = derive(profile.load("prod"))
    assert canary.PATIENCE.name not in dict(settings(plan, Site.COMPOSE))
    assert rounds.patience(plan.profile) == plan.profile.canary.interval.seconds


def test_an_objective_that_asks_for_more_than_the_sampler_lets_through_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        waiting("5m")
    [problem] = [one for one in caught.value.problems if "freshness" in f"{one.path}{one.message}"]
    assert "less than two rounds of the canary take" in problem.message
    assert "tracing.tail.wait" in f"{problem.path} {problem.hint}"


@pytest.mark.parametrize(
    ("interval", "said"),
    [("500ms", "write at least 1s"), ("3601s", "write at most 1h"), ("1d", "write at most 1h")],
)
def test_an_interval_that_the_canary_or_its_alerts_do_not_take_is_refused(interval: str, said: str) -> None:
    chosen = (f"canary.interval={interval}", "alerting.slo.freshness.enabled=false")
    with pytest.raises(PlanError) as caught:
        derive(profile.load("prod", chosen))
    [problem] = caught.value.problems
    assert (problem.file, problem.path, problem.hint) == ("--set", "$.canary.interval", said)
    assert not derive(profile.load("prod", (*chosen, "canary.enabled=false"))).profile.canary.enabled


NO_FRESHNESS = ("alerting.slo.freshness.enabled=false", "workload.events_per_second=0.01")


@pytest.mark.parametrize("interval", ["1s", "41m", "2461s", "50m", "3012s", "59m", "1h"])
@pytest.mark.parametrize("wait", ["1s", "55m", "119m"])
def test_whatever_the_canary_waits_its_alerts_prove_themselves(interval: str, wait: str) -> None:
    plan = waiting(wait, f"canary.interval={interval}", *NO_FRESHNESS)
    assert "CanaryFailing" in {one.name for one in rules.alerts(plan)}


def test_a_sampler_that_waits_longer_than_the_alerts_can_look_back_is_refused() -> None:
    assert rules.alerts(waiting("178m", *NO_FRESHNESS))
    with pytest.raises(PlanError) as caught:
        waiting("179m", *NO_FRESHNESS)
    [problem] = caught.value.problems
    assert problem.path == "$.tracing.tail.wait"
    assert "longer for what it has sent than the 3 hours" in problem.message
