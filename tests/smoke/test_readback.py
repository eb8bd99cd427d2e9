"""What runs, read back: the whole contract, targets, rules, panels and limits, the same on either engine."""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

import promql_parser
import pytest
import yaml

from loom.contract import coverage, environment, foreign
from loom.contract import metrics as m
from loom.contract import spans as s
from loom.contract.metric import Metric
from loom.contract.objective import FAMILIES, SLO
from loom.contract.promql import Queries
from loom.contract.resource import JOB
from loom.deploy.artifacts import alertmanager, collector, dashboards, prometheus
from loom.deploy.artifacts.dashboards import catalogue, panel
from loom.deploy.plan.model import Purpose, Service, Site
from loom.deploy.plan.objectives import objectives
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]

Stack = Any  # of conftest, which test modules cannot import

DASHBOARDS = Path(__file__).parents[2] / "generated" / "dev" / "grafana" / "dashboards"
SERVICE = "loom-example"


Findings = dict[str, dict[str, dict[str, Any]]]
"""Subject → name → finding."""


@dataclass(frozen=True)
class Readback:
    """The example `mcp_integration`, which has run, and all of it has arrived."""

    stack: Stack
    said: dict[str, Any]
    started: float
    at: float
    """When all had arrived: what is asked is asked of then, since series of a program that ended expire."""

    def values(self, metric: Metric, label: str) -> set[str]:
        """What a label of a metric was seen to be."""
        names = [series.name for series in self.stack.plan.naming.all_series(metric)]
        asked = [f'{name}{{{JOB}=~"{SERVICE}.*"}}' for name in names]
        return {labels.get(label, "") for query in asked for labels, _ in self.stack.ask(query, self.at)}

    def total(self, metric: Metric) -> float:
        """The sum of a counter, of the example's own process."""
        query = Queries(self.stack.plan.naming).where(**{JOB: SERVICE}).value(metric)
        return float(sum(value for _, value in self.stack.ask(query, self.at)))


ROOM = "20GB"


@pytest.fixture(scope="module")
def back(stacks: Callable[[str], Stack]) -> Readback:
    stack = stacks("readback")
    # Samples each second take more room than the objectives' window leaves of the profile's.
    stack.up("metrics.scrape_interval=1s", f"metrics.retention.size={ROOM}", "volumes.prometheus=60GB")
    started = time.time()
    told = {environment.EXPORT_INTERVAL.name: "200"}
    said = stack.loom(SERVICE, "loom.examples.mcp_integration", **told)
    found = Readback(stack, said, started, time.time())

    def last() -> list[Readback]:
        """Two seconds ago already: a scrape may come in the middle of an export."""
        now = time.time()
        looks = [replace(found, at=at).total(m.telemetry.SPANS_CREATED) for at in (now - 2, now)]
        return [replace(found, at=now)] if looks == [said["spans"]["created"]] * 2 else []

    return until(last, "the last numbers")[0]


@pytest.fixture(scope="module")
def findings(back: Readback) -> Findings:
    """Of `loom-deploy verify --json`."""
    done = back.stack.run("verify", "--name", "readback", "--json", "--timeout", "200")
    assert done.returncode == 0, done.stderr
    found: Findings = {}
    for one in json.loads(done.stdout)["findings"]:
        found.setdefault(one["subject"], {})[one["name"]] = one
    return found


@pytest.fixture(scope="module")
def grown(back: Readback) -> tuple[float, float]:
    """When, in seconds since 1970, all had grown that a rate is taken of, and when all budgets were there."""
    query = Queries(back.stack.plan.naming).where(**{JOB: "loom-rounds"}).value(m.telemetry.SPANS_CREATED)
    address = back.stack.address(Service.PROMETHEUS, Purpose.UI)
    told = {environment.EXPORT_INTERVAL.name: "200"}
    program = Path(__file__).parent / "programs" / "rounds.py"
    said = back.stack.loom("loom-rounds", program, address, query.text, **told)
    assert said == {"unmet": [], "arrived": True}
    ended = time.time()
    # Budgets are worked out on whole minutes.
    wanted = {one.indicator.name for one in objectives(back.stack.plan)}
    budgets = FAMILIES[-1].name
    until(lambda: {labels[SLO] for labels, _ in back.stack.ask(budgets, time.time())} >= wanted)
    return ended, time.time()


def test_verify_finds_each_metric_span_and_target_of_the_contract_and_nothing_wrong(
    back: Readback, findings: Findings
) -> None:
    naming, plan = back.stack.plan.naming, back.stack.plan
    every = [found for named in findings.values() for found in named.values()]
    assert [found for found in every if not found["good"]] == []
    assert set(findings["metric"]) == {naming.base(metric) for metric in m.ALL}
    assert set(findings["span"]) == {span.key for span in s.ALL}
    assert set(findings["target"]) == {target.job for target in prometheus.targets(plan)}
    absent = {found["name"] for found in every if found["verdict"] != "found"}
    assert absent == {naming.base(metric) for metric in (*coverage.TROUBLE, *coverage.RARE)}


def test_every_closed_value_that_a_run_can_show_is_in_prometheus(back: Readback) -> None:
    lacking = {
        (metric.name, attribute.name): missing
        for metric in m.ALL
        for attribute in metric.attributes
        if metric not in (*coverage.TROUBLE, *coverage.RARE)
        if (missing := set(coverage.reachable(attribute)) - back.values(metric, attribute.label))
    }
    assert lacking == {}


def test_the_stores_have_the_numbers_that_the_program_counted(back: Readback) -> None:
    spans = back.said["spans"]
    assert back.total(m.telemetry.SPANS_CREATED) == spans["created"]
    assert back.total(m.telemetry.SPANS_EXPORTED) == spans["exported"] == spans["created"]
    until(lambda: len(back.stack.stored(SERVICE, back.started)) == back.said["traces"])


def test_an_exemplar_resolves_to_a_trace(back: Readback, findings: Findings) -> None:
    [found] = findings["exemplar"].values()
    assert found["verdict"] == "found", found
    assert back.stack.get(Service.JAEGER, f"/api/traces/{found['detail'].split()[-1]}")["data"]


def test_every_target_is_up_and_there_are_no_others(back: Readback) -> None:
    def active() -> list[dict[str, Any]]:
        return list(back.stack.get(Service.PROMETHEUS, "/api/v1/targets")["data"]["activeTargets"])

    def health() -> dict[str, tuple[str, str]]:
        return {target["labels"]["job"]: (target["health"], target["lastError"]) for target in active()}

    wanted = {target.job: ("up", "") for target in prometheus.targets(back.stack.plan)}
    until(lambda: health() == wanted, lambda: f"{health()}")
    addresses = {target["labels"]["job"]: target["discoveredLabels"]["__address__"] for target in active()}
    for target in prometheus.targets(back.stack.plan):
        assert addresses[target.job] == back.stack.address(target.service, target.purpose)


def test_every_rendered_rule_is_loaded_and_healthy(back: Readback) -> None:
    rendered = {
        (path.name, group["name"]): sorted(rule.get("alert") or rule["record"] for rule in group["rules"])
        for path in (back.stack.home.rendered / "prometheus" / "rules").iterdir()
        for group in yaml.safe_load(path.read_text())["groups"]
    }

    def groups() -> list[dict[str, Any]]:
        return list(back.stack.get(Service.PROMETHEUS, "/api/v1/rules")["data"]["groups"])

    def rules() -> Iterator[dict[str, Any]]:
        return (rule for group in groups() for rule in group["rules"])

    until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    loaded = {
        (Path(group["file"]).name, group["name"]): sorted(rule["name"] for rule in group["rules"])
        for group in groups()
    }
    assert loaded == rendered
    assert [rule for rule in rules() if rule["health"] != "ok" or rule.get("lastError")] == []


def test_alertmanager_is_reached_and_has_the_alert_that_always_fires(back: Readback) -> None:
    found = back.stack.get(Service.PROMETHEUS, "/api/v1/alertmanagers")["data"]
    address = back.stack.address(Service.ALERTMANAGER, Purpose.UI)
    assert [one["url"] for one in found["activeAlertmanagers"]] == [f"http://{address}/api/v2/alerts"]

    def active() -> set[str]:
        alerts = back.stack.get(Service.ALERTMANAGER, "/api/v2/alerts", active="true")
        return {alert["labels"]["alertname"] for alert in alerts}

    until(lambda: "Watchdog" in active())
    running = back.stack.get(Service.ALERTMANAGER, "/api/v2/status")["config"]["original"]
    rendered = (back.stack.engine.configuration(back.stack.home) / alertmanager.NAME).read_text()
    assert yaml.safe_load(running)["route"]["receiver"] == yaml.safe_load(rendered)["route"]["receiver"]


def test_retention_and_flags_are_those_of_the_profile(back: Readback) -> None:
    said = back.stack.get(Service.PROMETHEUS, "/api/v1/status/runtimeinfo")["data"]
    kept = str(back.stack.plan.profile.metrics.retention.time)
    size = ROOM.replace("GB", "GiB")  # Prometheus counts in powers of two
    assert (kept, said["storageRetention"]) == ("7d", f"1w or {size}")
    assert said["reloadConfigSuccess"] is True
    running = back.stack.get(Service.PROMETHEUS, "/api/v1/status/flags")["data"]
    for flag in prometheus.flags(back.stack.plan, Site.NATIVE):
        name, _, value = flag.removeprefix("--").partition("=")
        assert running[name] == (value or "true")


def filled(board: dict[str, Any], query: str) -> str:
    """The query as Grafana sends it with everything chosen; KeyError for a variable that is not known."""
    windows = {catalogue.RATE_WINDOW: "1m", panel.RANGE: "5m"}
    known = {name.removeprefix("$"): value for name, value in windows.items()}
    return Template(query).substitute(known, **{one["name"]: ".*" for one in board["templating"]["list"]})


def selected(node: object) -> set[str]:
    """The names of all series in a parsed query."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name or ""}
    inner = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "args", "vector_selector")]
    below = [each for one in inner if one for each in (one if isinstance(one, list | tuple) else [one])]
    return {name for each in below for name in selected(each)}


def test_every_query_of_every_committed_panel_is_answered_and_what_is_empty_has_a_reason(
    back: Readback, grown: tuple[float, float]
) -> None:
    boards = [json.loads(path.read_text()) for path in sorted(DASHBOARDS.iterdir())]
    assert {board["uid"] for board in boards} == {board.name for board in dashboards.boards(back.stack.plan)}
    naming = back.stack.plan.naming
    panels = [(board, one) for board in boards for one in board["panels"] if one.get("targets")]
    silent = [
        (board["title"], one["title"], query)
        for board, one in panels
        for query in (filled(board, target["expr"]) for target in one["targets"])
        if not any(back.stack.ask(query, at) for at in grown)  # HTTP 400, an error, if it is wrong
    ]
    in_trouble = {series.name for series in (*foreign.TROUBLE, foreign.ALERTS)}  # no other alert may fire
    in_trouble |= {series.name for metric in coverage.RARE for series in naming.all_series(metric)}
    unexplained = [each for each in silent if not selected(promql_parser.parse(each[-1])) & in_trouble]
    assert unexplained == [], f"{len(panels)} panels; without data for a reason: {silent}"


def test_every_limit_that_holds_is_the_rendered_one_and_the_plans(back: Readback) -> None:
    stack = back.stack
    held, rendered = stack.engine.limits(stack.home), stack.engine.rendered_limits(stack.home)
    assert set(held) >= {str(service) for service in stack.plan.services} - {str(Service.GRAFANA)}
    assert held == {service: rendered[service] for service in held}
    for service in set(held) & {str(service) for service in stack.plan.services}:
        container = stack.plan.container(Service(service))
        assert held[service]["GOMEMLIMIT"] == f"{container.gomemlimit_mib}MiB"
        assert held[service].get("mem_limit", f"{container.memory_mib}m") == f"{container.memory_mib}m"


def test_the_running_collector_and_prometheus_say_the_same_limits_themselves(back: Readback) -> None:
    limiter = back.stack.plan.limiter
    text = (back.stack.engine.configuration(back.stack.home) / collector.NAME).read_text()
    rendered = yaml.safe_load(text)["processors"]["memory_limiter"]
    assert (rendered["limit_mib"], rendered["spike_limit_mib"]) == (limiter.limit_mib, limiter.spike_mib)
    logs = back.stack.run("logs", "otel-collector", "--name", "readback", "--lines", "500").stdout
    [line] = [line for line in logs.splitlines() if "Memory limiter configured" in line]
    said = json.loads(line[line.index("{") :])
    assert (said["limit_mib"], said["spike_limit_mib"]) == (limiter.limit_mib, limiter.spike_mib)
    bytes_ = back.stack.get(Service.PROMETHEUS, "/api/v1/status/runtimeinfo")["data"]["GOMEMLIMIT"]
    assert bytes_ / math.pow(2, 20) == back.stack.plan.container(Service.PROMETHEUS).gomemlimit_mib
