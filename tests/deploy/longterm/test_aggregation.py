"""What the collector adds up: right by count, refused where it would be wrong or missed."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from socket import socket
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from loom.contract.metrics import ALL, event_bus
from loom.contract.naming import Naming
from loom.contract.resource import INSTANCE, SERVICE_INSTANCE_ID, SERVICE_NAME
from loom.contract.series import Part
from loom.deploy.artifacts import collector
from loom.deploy.artifacts.render import render
from loom.deploy.plan.aggregation import REQUEST_POINTS
from loom.deploy.plan.derive import remarks
from loom.deploy.plan.model import Plan, Purpose, Service, Site
from loom.deploy.programs import OTELCOL
from loom.deploy.toolchain import require
from loom.deploy.verify.expectation import expect
from loom.errors import PlanError
from loom.telemetry.otlp import MAX_POINTS
from tests.waiting import until

Planned = Callable[..., Plan]
Refused = Callable[..., dict[str, str]]
PATH = "$.collector.aggregation"
BEGUN, SECOND = 1_700_000_000_000_000_000, 1_000_000_000
TOPICS = "drop_labels: [topic], metrics: [loom.event_bus.published_total, loom.event_bus.publish_latency]"


def aggregation(text: str, more: str = "") -> str:
    return f"collector: {{aggregation: {{{text}}}}}\n{more}"


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("drop_labels: [instance]", "drop_labels", "each process counts from its own start"),
        ("drop_labels: [topics]", "drop_labels", "did you mean 'topic'?"),
        ("drop_labels: [topic], metrics: [loom.event_bus.backlog_current]", "metrics", "is a gauge"),
        ("drop_labels: [topic], metrics: [loom.router.confidence]", "metrics", "has no label to lose"),
        ("drop_labels: [topic], keep_labels: [qos]", "keep_labels", "contradicts drop_labels"),
        ("metrics: [loom.event_bus.published_total]", "metrics", "has no effect without"),
        ("drop_labels: [topic], metrics: [loom.bus.published]", "metrics", "the contract has no metric"),
    ],
)
def test_what_cannot_be_added_up_is_refused(refused: Refused, text: str, key: str, said: str) -> None:
    assert said in refused(aggregation(text), "dev")[f"{PATH}.{key}"]


def test_a_metric_that_is_sent_in_two_halves_is_refused(refused: Refused) -> None:
    much = "workload: {topics: 200, tools: 200, capabilities: 200, servers: 50, agent_types: 50}"
    found = refused(aggregation("drop_labels: [topic]", f"{much}\nmemory: {{prometheus: 8GiB}}"), "dev")
    assert "more than the 10,000 of one request" in found[PATH]
    assert REQUEST_POINTS == MAX_POINTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TOPICS, "asked for in grafana/dashboards/loom-event-bus.json (write panels: coarser"),
        ("drop_labels: [status], panels: coarser", "asked for in prometheus/rules/loom-"),
        ("keep_labels: [topic], panels: coarser", "qos of loom.event_bus.published_total is asked for"),
    ],
)
def test_a_label_that_rules_or_panels_ask_for_stays(planned: Planned, text: str, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        render(planned(aggregation(text), "dev"))
    assert said in str(caught.value)


def test_fewer_labels_are_fewer_series_in_plan_documents_and_proof(planned: Planned) -> None:
    whole, less = planned("", "dev"), planned(aggregation(f"{TOPICS}, panels: coarser"), "dev")
    assert less.estimate.series < whole.estimate.series * 0.9
    assert any("gone for good" in problem.message for problem in remarks(less))
    documents = {artifact.path: artifact.text for artifact in render(less)}
    text = documents["METRICS.md"]
    published = Naming().series(event_bus.PUBLISHED).name
    assert f"sum by (topic) (rate({published}" not in text
    assert f"\nsum({published})\n" in documents["QUICKSTART.md"]
    (expected,) = [metric for metric in expect(less).metrics if metric.name == event_bus.PUBLISHED.name]
    assert [one.name for one in expected.attributes] == ["qos"]
    assert {metric.name for metric in expect(less).metrics} == {
        metric.name for metric in expect(whole).metrics
    }
    assert {metric.name for metric in expect(whole).metrics} < {metric.name for metric in ALL}


@pytest.fixture
def collecting(planned: Planned, tmp_path: Path) -> Iterator[Plan]:
    """A real collector on what is rendered, with no Jaeger to hand traces to."""
    free = dict(
        zip(("otlp_grpc", "otlp_http", "collector_exporter", "collector_health"), _ports(), strict=True)
    )
    more = f"ports: {json.dumps(free)}\n"
    text = f"collector: {{diagnostics: false, aggregation: {{{TOPICS}, panels: coarser}}}}\n{more}"
    plan = planned(text, "dev")
    (own,) = [one for one in collector.artifacts(plan) if one.path.startswith("native/")]
    (tmp_path / "collector.yaml").write_text(own.text)
    program = require(OTELCOL)[OTELCOL.name]
    with (tmp_path / "log").open("wb") as log:
        command = [str(program), "--config", str(tmp_path / "collector.yaml")]
        environment = {**os.environ, "DEPLOYMENT_ENV": "development"}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        until(lambda: get(plan, Purpose.HEALTH, "/"), (tmp_path / "log").read_text)
        yield plan
    finally:
        process.terminate()
        process.wait(60)


def _ports() -> list[int]:
    listeners = [socket() for _ in range(4)]
    for one in listeners:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in listeners]
    for one in listeners:
        one.close()
    return found


def get(plan: Plan, purpose: Purpose, path: str) -> str:
    url = f"{plan.reached(Service.COLLECTOR, purpose)}{path}"
    request = Request(url, headers={"Accept": "application/openmetrics-text"})  # noqa: S310 - loopback
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
            text: str = answer.read().decode()
            return text
    except (URLError, OSError):
        return ""


def point(topic: str, second: int, **value: object) -> dict[str, object]:
    keys = {"topic": topic, "qos": "realtime"}
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in keys.items()]
    times = {"startTimeUnixNano": str(BEGUN), "timeUnixNano": str(BEGUN + second * SECOND)}
    trace = {"traceId": f"{ord(topic):032x}", "spanId": f"{ord(topic):016x}", "asDouble": 0.5}
    return {
        "attributes": attributes,
        **times,
        **value,
        "exemplars": [{**trace, "timeUnixNano": times["timeUnixNano"]}],
    }


def send(plan: Plan, instance: str, second: int, counts: Mapping[str, int]) -> None:
    """One export of one process: a cumulative counter and histogram over topics."""
    bounds = [0.1, 1.0]
    sums = [point(topic, second, asInt=str(number)) for topic, number in counts.items()]
    buckets = [
        point(
            topic,
            second,
            count=str(number),
            sum=number / 2,
            explicitBounds=bounds,
            bucketCounts=["0", str(number), "0"],
        )
        for topic, number in counts.items()
    ]
    cumulative = {"aggregationTemporality": 2}
    metrics = [
        {"name": event_bus.PUBLISHED.name, "sum": {**cumulative, "isMonotonic": True, "dataPoints": sums}},
        {
            "name": event_bus.PUBLISH_LATENCY.name,
            "unit": "s",
            "histogram": {**cumulative, "dataPoints": buckets},
        },
    ]
    about = {SERVICE_NAME.name: "probe", SERVICE_INSTANCE_ID.name: instance}
    resource = {"attributes": [{"key": key, "value": {"stringValue": text}} for key, text in about.items()]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
    url = f"{plan.reached(Service.COLLECTOR, Purpose.OTLP_HTTP)}/v1/metrics"
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=10) as answer:  # noqa: S310 - loopback
        assert answer.status == 200


def values(text: str, name: str) -> dict[str, float]:
    """Instance → value of the only series that it has of a name, besides `le`."""
    lines = [line for line in text.splitlines() if re.match(rf"{name}\{{", line)]
    assert not [line for line in lines if "topic=" in line]
    rows = [(re.search(rf'{INSTANCE}="(\w+)"', line), line) for line in lines]
    found = [
        (
            match[1],
            float(line.rpartition("} ")[2] if " # " not in line else line.split(" # ")[0].rpartition(" ")[2]),
        )
        for match, line in rows
        if match
    ]
    assert len(found) == len(dict(found))
    return dict(found)


@pytest.mark.smoke
def test_a_real_collector_adds_up_each_process_on_its_own_and_never_goes_back(collecting: Plan) -> None:
    published = Naming().series(event_bus.PUBLISHED).name
    total = Naming().series(event_bus.PUBLISH_LATENCY, Part.COUNT).name
    send(collecting, "one", 10, {"a": 3, "b": 4})
    send(collecting, "two", 10, {"a": 10})
    text = until(lambda: get(collecting, Purpose.EXPORTER, "/metrics"), str)
    assert values(text, published) == values(text, total) == {"one": 7, "two": 10}
    send(collecting, "one", 20, {"a": 5, "b": 4, "c": 2})
    send(collecting, "two", 20, {"a": 1})  # began anew: a reset, which is its own
    text = get(collecting, Purpose.EXPORTER, "/metrics")
    assert values(text, published) == values(text, total) == {"one": 11, "two": 1}
    bucket = Naming().series(event_bus.PUBLISH_LATENCY, Part.BUCKET).name
    assert re.search(rf'{bucket}{{.*{INSTANCE}="one".*le="1.0".*}} 11\b.* # {{.*trace_id=', text)


def test_the_processor_is_there_only_when_asked_for(planned: Planned) -> None:
    for base in ("dev", "prod"):
        texts = [one.text for one in collector.artifacts(planned("", base))]
        assert not any("aggregat" in text for text in texts)
    assert len(texts) == len(Site)
