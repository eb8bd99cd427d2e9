"""Recording rules and alerts: names, labels, links, and what makes them fire."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from loom.contract import canary as canary_contract
from loom.contract import foreign
from loom.contract.metrics import ALL
from loom.contract.promql import LabelError
from loom.contract.series import Series
from loom.deploy import profile
from loom.deploy.artifacts import parse, rules
from loom.deploy.artifacts.rules import Input, Kind, Severity, Unmetered, canary
from loom.deploy.artifacts.rules.course import held
from loom.deploy.artifacts.rules.question import where
from loom.deploy.plan import Plan, derive

OVERRIDES = [(), ("metrics.naming=prometheus",), ("metrics.namespace=loom", "metrics.delivery=otlp")]


def _nodes(node: Any) -> Iterator[Any]:  # noqa: ANN401 - promql_parser is not typed
    yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        inner = getattr(node, name, None)
        if inner is not None:
            yield from _nodes(inner)
    for inner in getattr(node, "args", None) or ():
        yield from _nodes(inner)


def _selectors(text: str) -> Iterator[tuple[str, set[str]]]:
    for node in _nodes(promql_parser.parse(text)):
        if isinstance(node, promql_parser.VectorSelector):
            yield node.name or "", {matcher.name for matcher in node.matchers.matchers}


def _known(plan: Plan) -> dict[str, Series]:
    loom = [series for metric in ALL for series in plan.naming.all_series(metric)]
    return {
        series.name: series for series in (*loom, *rules.recorded(plan), *foreign.ALL, *canary_contract.ALL)
    }


def _files(plan: Plan) -> list[Any]:
    return [parse(file) for file in rules.artifacts(plan) if file.path.startswith("prometheus/rules/")]


@pytest.mark.parametrize("overrides", OVERRIDES, ids=str)
def test_every_rule_parses_and_names_only_known_series_and_labels(
    plan_of: Callable[..., Plan], overrides: tuple[str, ...]
) -> None:
    plan = plan_of("prod", *overrides)
    known, seen = _known(plan), 0
    for file in _files(plan):
        for rule in (rule for group in file["groups"] for rule in group["rules"]):
            for name, labels in _selectors(rule["expr"]):
                seen += 1
                assert name in known, f"{rule}: {name}"
                assert labels <= {*known[name].labels, "__name__"}, f"{rule}: {labels}"
    assert seen > 150


def test_the_check_above_sees_selectors_everywhere() -> None:
    text = "(a > 1 and on (x) sum by (y) (rate(b{c='d'}[5m]))) or absent(e) or predict_linear(f[1h], 60) > g"
    assert {name for name, _ in _selectors(text)} == {"a", "b", "e", "f", "g"}


def test_names_follow_the_profile_by_themselves(plan_of: Callable[..., Plan]) -> None:
    plain, prefixed = plan_of("prod"), plan_of("prod", "metrics.namespace=loom")
    names = [_loom_names(plan) for plan in (plain, prefixed)]
    assert all(name.startswith(("loom_", "gen_ai_", "job:loom_", "job:gen_ai_")) for name in names[0])
    assert not any("loom_loom_" in name for name in names[0])
    assert all(name.startswith(("loom_loom_", "loom_gen_ai_", "job:loom_")) for name in names[1])


def _loom_names(plan: Plan) -> set[str]:
    own = {series.name for series in (*foreign.ALL, *canary_contract.ALL)}
    return {
        name
        for file in _files(plan)
        for group in file["groups"]
        for rule in group["rules"]
        for name, _ in _selectors(rule["expr"])
        if name not in own
    }


def test_every_alert_says_what_where_and_links_to_its_page(plan: Plan) -> None:
    alerts = {
        rule["alert"]: rule
        for file in _files(plan)
        for group in file["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert len(alerts) > 30
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in set(Severity)
        assert rule["labels"]["component"]
        annotations = rule["annotations"]
        assert not annotations["summary"].endswith(".")
        assert annotations["description"].endswith(".")
        base = plan.profile.alerting.runbook_base
        assert annotations["runbook_url"] == f"{base}/{name}.md"


def test_a_description_names_only_labels_that_the_alert_has(plan: Plan) -> None:
    for alert in rules.alerts(plan):
        used = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description))
        assert used <= alert.expression.labels, alert.name


def test_every_alert_fires_is_quiet_and_has_a_case_of_low_traffic_or_a_reason_for_none(plan: Plan) -> None:
    for alert in rules.alerts(plan):
        kinds = {scene.kind for scene in alert.proof.all}
        little = alert.proof.little
        if isinstance(little, Unmetered):
            assert little.reason.endswith(".")
            assert Kind.LITTLE not in kinds
        else:
            assert Kind.LITTLE in kinds
        assert kinds >= ({Kind.FIRES, Kind.QUIET} if alert.name != "Watchdog" else set())


def test_a_share_is_never_without_a_case_of_low_traffic(plan: Plan) -> None:
    # What compares two rates, or two counts, becomes doubtful when there are next to none.
    shares = [
        alert
        for alert in rules.alerts(plan)
        if re.search(r"(rate|increase)\(.*/.*(rate|increase)\(", str(alert.expression))
    ]
    assert len(shares) > 7
    assert [alert.name for alert in shares if isinstance(alert.proof.little, Unmetered)] == []


def test_every_case_stands_in_a_test_file_and_so_does_every_reason_for_none(plan: Plan) -> None:
    files = [file for file in rules.artifacts(plan) if file.path.startswith("prometheus/tests/")]
    text = "".join(file.text for file in files)
    for alert in rules.alerts(plan):
        for case in rules.cases(alert):
            assert text.count(f'- name: "{case.name}"') == 1, case.name
        little = alert.proof.little
        assert not isinstance(little, Unmetered) or f"#   {alert.name}: {little.reason}\n" in text


def test_a_case_looks_at_both_sides_of_the_minute_at_which_something_changes(plan: Plan) -> None:
    for alert in rules.alerts(plan):
        for scene in alert.proof.all:
            looks = {look.minute: look.fires for look in scene.looks}
            changes = [now for now in looks if now - 1 in looks and looks[now] != looks[now - 1]]
            assert bool(changes) == (scene.kind is Kind.FIRES), (alert.name, scene.about)


def test_what_the_first_failure_makes_counts_from_its_first_value_on(plan: Plan) -> None:
    born = {series.name for series in foreign.TROUBLE}
    seen = set()
    for alert in rules.alerts(plan):
        text = str(alert.expression)
        for name in born & {series.name for series in alert.expression.series}:
            seen.add(name)
            assert re.search(rf"{name}{{[^}}]*}} unless {name} offset \d+m\) or increase\({name}{{", text), (
                text
            )
    assert seen == born
    first = ("LoomCapabilityNotFound", "LoomAttributeOverflow")
    texts = {alert.name: str(alert.expression) for alert in rules.alerts(plan)}
    assert all(" offset " in texts[name] for name in first)


def test_every_program_that_says_when_it_began_is_watched_for_restarts(
    plan_of: Callable[..., Plan],
) -> None:
    def watched(plan: Plan) -> set[str]:
        [alert] = [one for one in rules.alerts(plan) if one.name == "PipelineProcessRestarting"]
        [jobs] = re.findall(r'changes\(process_start_time_seconds{job=~"([^"]+)"}', str(alert.expression))
        return set(jobs.split("|"))

    stores = {foreign.JOB_PROMETHEUS, foreign.JOB_ALERTMANAGER}
    assert watched(plan_of("prod")) == stores
    everything = derive(profile.load(Path(__file__).parents[3] / "bench" / "everything.yaml"))
    assert watched(everything) == stores | set(foreign.JOBS_THANOS)


def test_without_data_only_absence_fires(plan: Plan) -> None:
    firing = {alert.name for alert in rules.alerts(plan) if alert.proof.silent}
    canary = {"CanaryMissing"} if plan.profile.canary.enabled else set()
    assert firing == {"Watchdog", "LoomTelemetryAbsent", "PipelineTargetDown"} | canary


def test_the_canary_and_certificates_are_watched_where_there_are_any(plan_of: Callable[..., Plan]) -> None:
    def about(*overrides: str) -> set[str]:
        found = {alert.name for alert in rules.alerts(plan_of("prod", *overrides))}
        return {name for name in found if name.startswith(("Canary", "Certificate", "LoomFreshness"))}

    freshness = {"LoomFreshnessBudgetBurnFast", "LoomFreshnessBudgetBurnSlow"}
    canary = {"CanaryMissing", "CanaryFailing"} | freshness
    assert about() == canary | {"CertificateExpiring", "CertificateExpiringNow"}
    assert about("canary.enabled=false") == set()


def test_a_slow_canary_is_given_the_time_it_needs(plan_of: Callable[..., Plan]) -> None:
    slow = plan_of("prod", "canary.interval=10m", "alerting.slo.freshness.within=30m")
    assert canary.oldest(plan_of("prod")) == 300
    assert canary.oldest(slow) == 3 * (600 + 10 + 15)


def test_a_test_cannot_use_a_label_or_a_value_that_does_not_exist(plan: Plan) -> None:
    from loom.contract import attributes  # noqa: PLC0415 - this test only

    with pytest.raises(LabelError):
        Input(plan.naming.series(ALL[0]), held((0.0, 1)), {"tpoic": "x"})
    with pytest.raises(LabelError):
        where(attributes.CALL_STATUS, "okay")


def test_recorded_names_do_not_collide_and_follow_the_convention(plan: Plan) -> None:
    found = [(one.series.name, one.labels) for group in rules.groups(plan) for one in group.recordings]
    assert len(found) == len(set(found))
    assert all(re.fullmatch(r"job:[a-z0-9_]+:[a-z0-9_.]+", name) for name, _ in found), found
