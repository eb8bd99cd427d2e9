"""The rendered configuration on the real programs, run together by supervisord."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from loom.contract import foreign
from loom.contract.metrics import event_bus
from loom.contract.resource import ENVIRONMENT, ENVIRONMENT_LABEL
from loom.contract.series import Part
from loom.deploy.artifacts.rules import alerts, groups
from loom.deploy.plan.model import Service
from tests.waiting import until

pytestmark = [pytest.mark.smoke, pytest.mark.slow]
QUICK = ("metrics.scrape_interval=1s", "alerting.slo.window=1d")
"""Samples each second, and no objective that would have to last longer than they are kept then."""
Start = Callable[..., Any]


def test_every_foreign_series_and_label_is_there_once_telemetry_has_passed(start: Start) -> None:
    stack = start("dev", *QUICK, "tracing.storage=badger", "collector.queue.storage=disk")
    stack.emit()
    expected = {series.name: set(series.labels) for series in foreign.ALWAYS if series is not foreign.ALERTS}
    named = '{__name__=~"' + "|".join([*expected, foreign.ALERTS.name]) + '"}'

    def labels() -> dict[str, set[str]]:
        return {found["__name__"]: set(found) for found in stack.series(named)}

    # Watchdog is what writes ALERTS.
    wanted = {*expected, foreign.ALERTS.name}
    until(lambda: set(labels()) >= wanted, lambda: f"{wanted - set(labels())}")
    missing = {name: keys - labels()[name] for name, keys in expected.items() if keys - labels()[name]}
    assert missing == {}
    alert = stack.series(f'{foreign.ALERTS.name}{{alertname="Watchdog"}}')[0]
    assert set(foreign.ALERTS.labels) <= set(alert)


def test_rules_evaluate_on_real_series_and_the_heartbeat_reaches_alertmanager(start: Start) -> None:
    stack = start("dev", *QUICK, "metrics.naming=prometheus", "metrics.namespace=loom")
    stack.emit()

    def rules() -> list[dict[str, Any]]:
        groups = (stack.prometheus("rules") or {"groups": []})["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: rules() and all(rule["health"] == "ok" for rule in rules()), "every rule was evaluated")
    recorded = sum(len(group.recordings) for group in groups(stack.plan))
    assert len(rules()) == len(alerts(stack.plan)) + recorded
    until(
        lambda: "Watchdog" in stack.get(Service.ALERTMANAGER, "/api/v2/alerts"),
        "the heartbeat is in Alertmanager",
    )
    alert = json.loads(stack.get(Service.ALERTMANAGER, '/api/v2/alerts?filter=alertname="Watchdog"'))[0]
    assert alert["labels"][ENVIRONMENT_LABEL] == "development"
    assert alert["annotations"]["runbook_url"].endswith("/Watchdog.md")


@pytest.mark.parametrize("delivery", ["scrape", "otlp"])
def test_a_process_keeps_its_environment_and_one_without_gets_the_collectors(
    start: Start, delivery: str
) -> None:
    stack = start("dev", *QUICK, f"metrics.delivery={delivery}")
    stack.emit("service.instance.id=with", f"{ENVIRONMENT.name}=staging")
    stack.emit("service.instance.id=without")

    def environments() -> dict[str, str]:
        series = stack.plan.naming.series(event_bus.PUBLISHED)
        return {found["instance"]: found[ENVIRONMENT_LABEL] for found in stack.series(series.name)}

    until(lambda: len(environments()) == 2, "both processes are shown")
    assert environments() == {"with": "staging", "without": "development"}


@pytest.mark.parametrize("delivery", ["scrape", "otlp"])
def test_an_exemplar_leads_to_a_trace_that_jaeger_has(start: Start, delivery: str) -> None:
    stack = start("dev", *QUICK, f"metrics.delivery={delivery}")
    stack.emit()
    series = stack.plan.naming.series(event_bus.PUBLISH_LATENCY, Part.BUCKET)
    now = time.time()

    def trace() -> str:
        window = {"start": str(now - 600), "end": str(now + 600)}
        found = stack.prometheus("query_exemplars", query=series.name, **window) or []
        return next((one["labels"]["trace_id"] for row in found for one in row["exemplars"]), "")

    found = until(trace, "an exemplar")
    until(lambda: '"spans"' in stack.get(Service.JAEGER, f"/api/traces/{found}"), "Jaeger has its trace")


def test_retention_reads_back_as_the_profile_says(start: Start) -> None:
    stack = start(
        "dev", "metrics.retention.time=30d", "metrics.retention.size=50GB", "volumes.prometheus=70GB"
    )
    runtime = until(lambda: stack.prometheus("status/runtimeinfo"), "Prometheus answers")
    assert runtime["storageRetention"] == "30d or 50GiB"
    wanted = {
        foreign.JOB_EXPORTER,
        foreign.JOB_COLLECTOR,
        foreign.JOB_JAEGER,
        foreign.JOB_PROMETHEUS,
        foreign.JOB_ALERTMANAGER,
    }

    def jobs() -> set[str]:
        # Prometheus takes its jobs up one after the other.
        active = (stack.prometheus("targets", state="active") or {"activeTargets": []})["activeTargets"]
        return {target["labels"]["job"] for target in active}

    until(lambda: jobs() == wanted, lambda: f"{jobs()} instead of {wanted}")


def test_a_program_that_keeps_ending_is_given_up_and_reported(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = start("dev", replaced={Service.JAEGER: "/bin/false"})
    told = [sys.executable, "-m", "supervisor.supervisorctl", "-c", stack.folder / "native/supervisord.conf"]
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)

    def states() -> str:
        return subprocess.run([*told, "status"], capture_output=True, text=True, check=False).stdout

    until(lambda: "FATAL" in states(), "supervisord gives up")
    lines = {line.split()[0]: line.split()[1] for line in states().splitlines()}
    assert lines.pop(str(Service.JAEGER)) == "FATAL"
    assert set(lines.values()) == {"RUNNING"}


def test_what_goes_wrong_in_a_collector_is_counted_under_the_names_we_alert_on(
    run_collector: Callable[[str], Any],
) -> None:
    collector = run_collector(TROUBLED)
    expected = {series.name: set(series.labels) for series in foreign.TROUBLE}

    def troubled() -> bool:
        # Again and again: the limiter looks once a second, the queue is full only while its exporter is busy.
        collector.emit("lost")
        collector.emit("limited")
        return set(collector.series()) >= set(expected)

    until(troubled, "everything went wrong")
    shown = collector.series()
    missing = {name: wanted - shown[name] - {"job", "instance"} for name, wanted in expected.items()}
    assert {name: labels for name, labels in missing.items() if labels} == {}


TROUBLED = """
receivers:
  otlp/lost: {protocols: {grpc: {endpoint: "127.0.0.1:%(lost)d"}}}
  otlp/limited: {protocols: {grpc: {endpoint: "127.0.0.1:%(limited)d"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 2, spike_limit_mib: 1}
exporters:
  otlp_grpc/full:
    {endpoint: "127.0.0.1:1", tls: {insecure: true}, sending_queue: {sizer: items, queue_size: 1}}
  otlp_grpc/fail: {endpoint: "127.0.0.1:1", tls: {insecure: true}, retry_on_failure: {enabled: false}}
service:
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: %(telemetry)d
                without_type_suffix: true
                without_units: true
                without_scope_info: true
  pipelines:
    traces/full: {receivers: [otlp/lost], exporters: [otlp_grpc/full, otlp_grpc/fail]}
    metrics/full: {receivers: [otlp/lost], exporters: [otlp_grpc/full, otlp_grpc/fail]}
    traces/limited: {receivers: [otlp/limited], processors: [memory_limiter], exporters: [otlp_grpc/fail]}
    metrics/limited: {receivers: [otlp/limited], processors: [memory_limiter], exporters: [otlp_grpc/fail]}
"""
