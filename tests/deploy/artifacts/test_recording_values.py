"""What recording rules compute: the real promtool evaluates them over two processes whose numbers are known.

The expected values are worked out here from the numbers themselves, not from the rules' expressions.
"""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import yaml

from loom.contract import objective, recording
from loom.contract.metric import Kind, Metric
from loom.contract.metrics import ALL, action_broker, event_bus, tool_orchestrator
from loom.contract.objective import SLO
from loom.contract.resource import ENVIRONMENT_LABEL, INSTANCE, JOB
from loom.contract.series import Part, Series
from loom.deploy.artifacts import rules
from loom.deploy.plan import Plan
from loom.deploy.plan.objectives import objectives
from loom.deploy.programs import PROMTOOL
from loom.deploy.toolchain import require

pytestmark = pytest.mark.smoke

PROCESSES = {"a": 6, "b": 18}
"""Instance → what each of its series grows by in a minute, before the weight of its labels."""
TARGET = {JOB: "loom", ENVIRONMENT_LABEL: "test"}
MINUTES = 180
BUCKET = 3
"""Index of the bucket that every measurement falls into."""


@dataclass(frozen=True)
class Expected:
    """One sample that must be there."""

    series: Series
    labels: dict[str, str]
    value: float


def sets(metric: Metric) -> list[tuple[dict[str, str], int]]:
    """Each attribute set of the metric with a weight of its own, so that none stands for another."""
    names = [attribute.label for attribute in metric.attributes]
    values = [attribute.values or ("x", "y") for attribute in metric.attributes]
    return [(dict(zip(names, chosen, strict=True)), n + 1) for n, chosen in enumerate(product(*values))]


def inputs(plan: Plan) -> Iterator[dict[str, str]]:
    for metric, (instance, growth) in product(ALL, PROCESSES.items()):
        for labels, weight in sets(metric):
            own = {**TARGET, INSTANCE: instance, **labels}
            if metric.kind is Kind.COUNTER:
                yield entry(plan.naming.series(metric), own, growth * weight)
            elif metric.kind is Kind.HISTOGRAM:
                count = plan.naming.series(metric, Part.COUNT)
                yield entry(count, own, growth * weight)
                for n, bound in enumerate([*(f"{bound:g}" for bound in metric.boundaries), "+Inf"]):
                    bucket = plan.naming.series(metric, Part.BUCKET)
                    yield entry(bucket, {**own, "le": bound}, growth * weight * (n >= BUCKET))


def entry(series: Series, labels: dict[str, str], growth: int) -> dict[str, str]:
    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return {"series": f"{series.name}{{{text}}}", "values": f"0+{growth}x{MINUTES}"}


def per_second(metric: Metric, chosen: Callable[[dict[str, str]], bool]) -> float:
    """The rate of a counter over both processes, of the attribute sets that are chosen."""
    weight = sum(weight for labels, weight in sets(metric) if chosen(labels))
    return sum(PROCESSES.values()) * weight / 60


def has(kept: Iterable[tuple[str, str]], labels: dict[str, str]) -> bool:
    return set(kept) <= labels.items()


def rates(plan: Plan) -> Iterator[Expected]:
    for metric in (metric for metric in ALL if metric.kind is Kind.COUNTER):
        closed = recording.closed(metric)
        for kept in {tuple((name, labels[name]) for name in closed) for labels, _ in sets(metric)}:
            value = per_second(metric, partial(has, kept))
            yield Expected(recording.rate(plan.naming, metric).series, dict(kept), value)


def quantiles(plan: Plan) -> Iterator[Expected]:
    timed = (metric for metric in ALL if metric.kind is Kind.HISTOGRAM and metric.unit == "s")
    for metric, quantile in product(timed, recording.QUANTILES):
        low, high = metric.boundaries[BUCKET - 1 : BUCKET + 1]
        series = recording.latency(plan.naming, metric, quantile).series
        yield Expected(series, {}, low + (high - low) * quantile)


def failures(plan: Plan) -> Iterator[Expected]:
    for failure in recording.FAILURES:
        label, metric = failure.attribute.label, failure.metric
        total = per_second(metric, lambda _: True)
        good = sum(per_second(metric, partial(has, [(label, value)])) for value in failure.good)
        yield Expected(recording.failure_ratio(plan.naming, failure).series, {}, 1 - good / total)


def spent(plan: Plan) -> Iterator[Expected]:
    """What is recorded of the objectives: every share is the same at all times, so every window shows it."""
    for one in objectives(plan):
        name = one.indicator.name
        if name == "freshness":
            continue
        bad, total = SHARES[name]
        labels = {SLO: name}
        yield Expected(objective.bad(one), labels, bad)
        yield Expected(objective.total(one), labels, total)
        for window in one.windows:
            yield Expected(objective.burn(one, window), labels, bad / total / one.budget)
        for window in (
            "5m",
            "30m",
            "2h",
        ):  # the numbers do not fill the others: a mean would count the beginning
            yield Expected(objective.events(one, window), labels, total * objective.WINDOWS[window])
        yield Expected(objective.remaining(one), labels, 1 - bad / total / one.budget)


def _shares() -> dict[str, tuple[float, float]]:
    """Objective → what is bad, and everything, per second."""
    status = [("status", "ok")]
    full = [[("reason", reason)] for reason in ("queue_full", "backpressure")]
    invoked, called = action_broker.INVOCATIONS, tool_orchestrator.TOOL_CALLS
    every = {metric: per_second(metric, lambda _: True) for metric in (invoked, called)}
    delivered = per_second(event_bus.DELIVERED, lambda _: True)
    dropped = sum(per_second(event_bus.DROPPED, partial(has, reason)) for reason in full)
    # All lie in one bucket, far below the threshold: none is slow.
    executed = per_second(action_broker.INVOKE_LATENCY, lambda _: True)
    return {
        "delivery": (dropped, delivered + dropped),
        "invoke_success": (every[invoked] - per_second(invoked, partial(has, status)), every[invoked]),
        "invoke_latency": (0.0, executed),
        "tool_success": (every[called] - per_second(called, partial(has, status)), every[called]),
    }


SHARES = _shares()


def question(expected: list[Expected]) -> dict[str, object]:
    """All values of one recorded series, as a test of promtool."""
    samples = [{"labels": label_text(one), "value": round(one.value, 9)} for one in expected]
    expression = f"round({expected[0].series.name}, 1e-9)"
    return {"expr": expression, "eval_time": f"{MINUTES}m", "exp_samples": samples}


def label_text(one: Expected) -> str:
    labels = {**TARGET, **one.labels}
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


@pytest.mark.parametrize("overrides", [(), ("metrics.naming=prometheus", "metrics.namespace=loom")], ids=str)
def test_every_recorded_series_has_the_value_that_follows_from_the_numbers(
    plan_of: Callable[..., Plan], tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    plan = plan_of("prod", *overrides)
    [rule_file] = [file for file in rules.artifacts(plan) if file.path.endswith("loom-recording.yaml")]
    (tmp_path / "rules.yaml").write_text(rule_file.text)
    by_series: dict[str, list[Expected]] = {}
    for one in (*rates(plan), *quantiles(plan), *failures(plan), *spent(plan)):
        by_series.setdefault(one.series.name, []).append(one)
    left = {series.name for series in rules.recorded(plan)} - set(by_series)
    # The canary's own numbers have tests beside its alerts.
    known = {objective.known(one, window).name for one in objectives(plan) for window in objective.KNOWN}
    assert left == known | {objective.events(one, "6h").name for one in objectives(plan)}
    test = {
        "interval": "1m",
        "input_series": list(inputs(plan)),
        "promql_expr_test": [question(expected) for expected in by_series.values()],
    }
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "fuzzy_compare": True,
        "tests": [test],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(document))
    promtool = require(PROMTOOL)[PROMTOOL.name]
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
