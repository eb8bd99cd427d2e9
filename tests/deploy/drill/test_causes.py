"""The table of causes: every alert has one, or a reason; every cause is about alerts that exist."""

import subprocess
import sys
from pathlib import Path

import pytest

from loom.deploy import profile
from loom.deploy.artifacts import rules
from loom.deploy.artifacts.rules.telemetry import LASTING
from loom.deploy.drill import CAUSES, UNPROVOKED, drilled, impossible, missing
from loom.deploy.drill.budgets import FAST, SLOW, share
from loom.deploy.drill.ground import TROUBLE
from loom.deploy.drill.rehearsal import narrowed
from loom.deploy.drill.scale import STEPS
from loom.deploy.plan import Plan, derive
from loom.deploy.plan.objectives import objectives
from loom.examples.trouble import process

REPOSITORY = Path(__file__).parents[3]
PROFILES = sorted(path.stem for path in (REPOSITORY / "profiles").glob("*.yaml"))
MOST_UNPROVOKED = 3


def plan(name: str) -> Plan:
    return derive(profile.load(name, (), REPOSITORY / "profiles"))


@pytest.mark.parametrize("name", PROFILES)
def test_every_alert_has_a_real_cause_or_a_reason_why_not(name: str) -> None:
    assert missing(plan(name)) == []


def test_every_cause_is_about_alerts_that_exist_and_none_has_two() -> None:
    known = {alert.name for name in PROFILES for alert in rules.alerts(plan(name))}
    named = [name for cause in CAUSES for name in cause.alerts]
    assert len(named) == len(set(named))
    assert {*named, *UNPROVOKED} <= known
    assert not set(named) & set(UNPROVOKED)
    assert all(set(cause.proofs) <= set(cause.alerts) for cause in CAUSES)


def test_few_are_left_out_and_each_says_why() -> None:
    assert len(UNPROVOKED) <= MOST_UNPROVOKED
    assert all(len(why.split()) > 5 for why in UNPROVOKED.values())


def test_a_cause_that_takes_what_is_not_there_is_not_made_but_named() -> None:
    open_ = derive(profile.load("prod", ("environment=staging", "security.authentication=off")))
    assert set(impossible(open_)) == {"PipelineServiceDown"}
    assert impossible(plan("prod")) == {}


SIZED = ("PrometheusSeries", "PrometheusVolume", "JaegerVolume", "CanaryFailing")
"""Alerts with a number that follows from a size or a pace that a drill makes small."""


@pytest.mark.parametrize("name", PROFILES)
def test_a_drill_has_the_very_alerts_of_its_profile(name: str) -> None:
    before, during = (
        {one.name: one for one in rules.alerts(each)} for each in (plan(name), narrowed(drilled(plan(name))))
    )
    assert set(during) >= set(before)
    for alert in before:
        assert during[alert].hold == before[alert].hold
        if not alert.startswith(SIZED):
            assert str(during[alert].expression) == str(before[alert].expression)


@pytest.mark.parametrize("name", PROFILES)
def test_a_share_for_the_slow_alert_is_too_little_for_the_fast_one(name: str) -> None:
    for objective in objectives(plan(name)):
        slow, fast = (share(objective, speed) for speed in (SLOW, FAST))
        assert objective.budget < slow < fast < 1


def test_the_service_that_ends_has_lived_long_enough_to_be_missed() -> None:
    assert process.LIFE > STEPS * LASTING


def test_nobody_but_the_drill_itself_is_called() -> None:
    alerting = drilled(plan("prod")).profile.alerting
    assert [receiver.secrets for receiver in alerting.receivers] == [("drill_told",)]
    assert alerting.secrets == ("drill_heartbeat", "drill_told")


def test_the_program_in_trouble_refuses_a_trouble_that_it_does_not_know() -> None:
    command = [sys.executable, "-m", TROUBLE, "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "there is no trouble 'nonsense'" in done.stderr
