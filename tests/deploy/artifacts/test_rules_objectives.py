"""Burn-rate alerts as they are rendered: factors, windows, floors, labels; and all they rest on."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.contract import canary
from loom.contract.metrics import action_broker, event_bus, tool_orchestrator
from loom.contract.objective import KNOWN as LOOKED_BACK
from loom.contract.objective import WINDOWS, burn, remaining
from loom.contract.series import Part, Series
from loom.deploy.artifacts import parse, rules
from loom.deploy.artifacts.rules.burning import KNOWN, PAGE, TICKET
from loom.deploy.plan import Plan
from loom.deploy.plan.objectives import objectives
from loom.deploy.programs import PROMTOOL
from loom.deploy.toolchain import require

PAIR = re.compile(
    r'burn:rate(\w+)\{slo="(\w+)"\} > ([\d.]+)\) and \(job:loom_slo_burn:rate(\w+) > ([\d.]+)\)'
)
THREE_NINES = ("alerting.slo.objective=0.999", "alerting.slo.window=30d")
SLOTH = [("1h", "5m", 14.4), ("6h", "30m", 6.0), ("1d", "2h", 3.0), ("3d", "6h", 1.0)]
"""What the sloth project publishes for 99.9 % over 30 days: two that page, two that open a ticket."""


def burning(plan: Plan) -> dict[str, dict[str, Any]]:
    """Name → alert on an objective, from the rendered file."""
    [file] = [one for one in rules.artifacts(plan) if one.path.endswith("rules/loom-objectives.yaml")]
    found: Any = parse(file)
    return {rule["alert"]: rule for group in found["groups"] for rule in group["rules"]}


def pairs(rule: dict[str, Any]) -> list[tuple[str, str, float]]:
    found = PAIR.findall(rule["expr"])
    assert all(one[2] == one[4] for one in found), "both windows have one limit"
    return [(long, short, float(limit)) for long, _, limit, short, _ in found]


@pytest.mark.parametrize("name", ["Delivery", "InvokeSuccess", "InvokeLatency", "ToolSuccess", "Freshness"])
def test_a_thirty_day_objective_of_three_nines_has_the_factors_that_sloth_publishes(
    plan_of: Callable[..., Plan], name: str
) -> None:
    alerts = burning(plan_of("prod", *THREE_NINES))
    fast, slow = alerts[f"Loom{name}BudgetBurnFast"], alerts[f"Loom{name}BudgetBurnSlow"]
    assert pairs(fast) + pairs(slow) == SLOTH
    assert (fast["labels"]["severity"], slow["labels"]["severity"]) == ("critical", "warning")


def test_another_window_scales_the_factors_and_none_is_below_one(plan_of: Callable[..., Plan]) -> None:
    def factors(window: str) -> list[float]:
        plan = plan_of("prod", "alerting.slo.objective=0.999", f"alerting.slo.window={window}")
        alerts = burning(plan)
        found = (pairs(alerts[f"LoomDeliveryBudgetBurn{speed}"]) for speed in ("Fast", "Slow"))
        return [limit for each in found for _, _, limit in each]

    assert factors("28d") == [13.44, 5.6, 2.8, 1]
    assert factors("15d") == [7.2, 3, 1.5, 1]
    assert factors("7d") == [3.36, 1.4, 1, 1]


def test_a_total_failure_of_a_lax_objective_calls_somebody(plan_of: Callable[..., Plan]) -> None:
    # 14.4 times a budget of 20 % would be 288 %: more than everything.
    alerts = burning(plan_of("prod", "alerting.slo.objective=0.8", "alerting.slo.window=30d"))
    for _, _, limit in (
        *pairs(alerts["LoomDeliveryBudgetBurnFast"]),
        *pairs(alerts["LoomDeliveryBudgetBurnSlow"]),
    ):
        assert limit * 0.2 < 1


@pytest.mark.parametrize(
    ("retention", "window", "expected"),
    [
        ("12h", "10h", {"1h", "6h"}),
        ("2d", "1d", {"1h", "6h", "1d"}),
        ("30d", "2d", {"1h", "6h", "1d"}),
        ("30d", "28d", {"1h", "6h", "1d", "3d"}),
    ],
)
def test_no_burn_rate_looks_further_back_than_samples_are_kept_or_the_objective_itself(
    plan_of: Callable[..., Plan], retention: str, window: str, expected: set[str]
) -> None:
    plan = plan_of("prod", f"metrics.retention.time={retention}", f"alerting.slo.window={window}")
    alerts = burning(plan)
    assert {long for rule in alerts.values() for long, _, _ in pairs(rule)} == expected
    recorded = {series.name for series in rules.recorded(plan)}
    read = {name for rule in alerts.values() for name in re.findall(r"job:[\w:]+", rule["expr"])}
    assert read <= recorded


def test_the_floor_is_the_profiles_and_time_has_none(plan_of: Callable[..., Plan]) -> None:
    for name, rule in burning(plan_of("prod", "alerting.slo.floor=42")).items():
        floors = re.findall(r"events:count(\w+) >= (\d+)", rule["expr"])
        shorts = [short for _, short, _ in pairs(rule)]
        assert floors == ([] if "Freshness" in name else [(short, "42") for short in shorts])


def test_half_of_the_long_window_must_be_known_where_time_is_counted(plan: Plan) -> None:
    for name, rule in burning(plan).items():
        known = re.findall(r"known:ratio(\w+) >= ([\d.]+)", rule["expr"])
        longs = [long for long, _, _ in pairs(rule)]
        assert known == ([(long, f"{KNOWN:g}") for long in longs] if "Freshness" in name else [])


def test_each_objective_has_its_label_and_says_what_it_is(plan: Plan) -> None:
    alerts = burning(plan)
    assert len(alerts) == 2 * len(objectives(plan))
    for objective in objectives(plan):
        for speed, chosen in (("Fast", PAGE), ("Slow", TICKET)):
            words = "".join(word.capitalize() for word in objective.indicator.name.split("_"))
            rule = alerts[f"Loom{words}BudgetBurn{speed}"]
            assert rule["labels"]["slo"] == objective.indicator.name
            assert set(re.findall(r'slo="(\w+)"', rule["expr"])) == {objective.indicator.name}
            assert [pair[:2] for pair in pairs(rule)] == [(one.long, one.short) for one in chosen]
            assert (
                f"{objective.share * 100:.6g} % over {objective.window}" in rule["annotations"]["description"]
            )


# From what Loom reports to the alert, on the real promtool: every layer at once.

MINUTES = 40


def _raw(plan: Plan, bad: float) -> list[dict[str, str]]:
    """A hundred of everything a minute, of which a share is bad; telemetry that is always old, or never."""
    good, labels = 100 * (1 - bad), 'job="loom-core",deployment_environment_name="test",instance="a"'

    def entry(series: Series, more: str, pace: float) -> dict[str, str]:
        return {"series": f"{series.name}{{{labels},{more}}}", "values": f"0+{pace:g}x{MINUTES}"}

    naming = plan.naming
    latency = action_broker.INVOKE_LATENCY
    bucket = naming.series(latency, Part.BUCKET)
    arrival = "60x" if bad else "0+60x"
    return [
        entry(naming.series(event_bus.DELIVERED), 'topic="t"', good),
        entry(naming.series(event_bus.DROPPED), 'topic="t",reason="queue_full"', 100 * bad),
        entry(naming.series(action_broker.INVOCATIONS), 'capability="c",status="ok"', good),
        entry(naming.series(action_broker.INVOCATIONS), 'capability="c",status="timeout"', 100 * bad),
        entry(naming.series(tool_orchestrator.TOOL_CALLS), 'tool="t",status="ok"', good),
        entry(naming.series(tool_orchestrator.TOOL_CALLS), 'tool="t",status="error"', 100 * bad),
        entry(bucket, 'capability="c",le="0.5"', 0),
        # As a scrape writes it, and as a push does.
        entry(bucket, 'capability="c",le="1.0"' if bad else 'capability="c",le="1"', good),
        entry(bucket, 'capability="c",le="2.5"', 100),
        entry(naming.series(latency, Part.COUNT), 'capability="c"', 100),
        *(
            {
                "series": f'{canary.LAST_SUCCESS.name}{{job="canary",instance="a",signal="{signal}"}}',
                "values": f"{arrival}{MINUTES}",
            }
            for signal in canary.SIGNALS
        ),
    ]


def _asked(plan: Plan, bad: float) -> list[dict[str, Any]]:
    """Burn rate and budget of every objective, worked out from the numbers; and who fires."""
    found: list[dict[str, Any]] = []
    for one in objectives(plan):
        chosen = f'slo="{one.indicator.name}"'
        # What is old since the first minute is older than five since the seventh.
        share = bad and (
            sum(minute * 60 - 60 > 300 for minute in range(MINUTES + 1)) / (MINUTES + 1)
            if one.indicator.timed
            else bad
        )
        rate, left = share / one.budget, 1 - share / one.budget
        for series, value in ((burn(one, "1h"), rate), (remaining(one), left)):
            query = f"round(max by (slo) ({series.name}{{{chosen}}}), 1e-6)"
            expected = {"labels": f"{{{chosen}}}", "value": round(value, 6)}
            found.append({"expr": query, "eval_time": f"{MINUTES}m", "exp_samples": [expected]})
    return found


@pytest.mark.smoke
@pytest.mark.parametrize("bad", [0.5, 0.0])
def test_what_loom_reports_becomes_burn_rates_budgets_and_alerts(
    plan_of: Callable[..., Plan], tmp_path: Path, bad: float
) -> None:
    plan = plan_of("prod")
    fast = [name for name in burning(plan) if name.endswith("Fast")]
    firing = {
        "expr": 'group by (alertname) (ALERTS{alertstate="firing",alertname=~".*BudgetBurnFast"})',
        "eval_time": f"{MINUTES}m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fast if bad],
    }
    test = {
        "interval": "1m",
        "input_series": _raw(plan, bad),
        "promql_expr_test": [*_asked(plan, bad), firing],
    }
    _judge(plan, tmp_path, test)


@pytest.mark.smoke
@pytest.mark.parametrize(("values", "known"), [("-600", 1), ("-600x3", 4), ("_x10 -600x28", 29)])
def test_the_first_minutes_of_a_canary_burn_no_budget(
    plan_of: Callable[..., Plan], tmp_path: Path, values: str, known: int
) -> None:
    """Ten minutes old from its first value on: all of what is known is bad, and that is little."""
    plan, last = plan_of("prod"), 59
    labels = 'job="canary",instance="a",signal="traces"'
    firing = 'ALERTS{alertstate="firing",alertname=~"LoomFreshness.*"}'
    asked = [{"expr": firing, "eval_time": f"{minute}m", "exp_samples": []} for minute in range(last + 1)]
    samples = [{"labels": '{job="canary",signal="traces",slo="freshness"}', "value": known}]
    shares = [
        {
            "expr": f'round(job:loom_slo_known:ratio{window}{{slo="freshness"}} * {WINDOWS[window] / 60:g})',
            "eval_time": f"{last}m",
            "exp_samples": samples,
        }
        for window in LOOKED_BACK
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": f"{canary.LAST_SUCCESS.name}{{{labels}}}", "values": f"{values} stale"}],
        "promql_expr_test": [*asked, *shares],
    }
    _judge(plan, tmp_path, test)


def _judge(plan: Plan, folder: Path, test: dict[str, Any]) -> None:
    """What promtool says to it, with every recorded series and every alert on an objective."""
    for file in rules.artifacts(plan):
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_text(file.text)
    named = ["prometheus/rules/loom-recording.yaml", "prometheus/rules/loom-objectives.yaml"]
    document = {"rule_files": named, "evaluation_interval": "1m", "fuzzy_compare": True, "tests": [test]}
    (folder / "test.yaml").write_text(json.dumps(document))
    command = [str(require(PROMTOOL)[PROMTOOL.name]), "test", "rules", str(folder / "test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
