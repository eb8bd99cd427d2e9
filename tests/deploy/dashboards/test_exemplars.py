"""From a latency to a trace: the real programs carry the trace in the label that the data source names."""

import json
import os
import re
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol

import pytest
from ruamel.yaml import YAML

from loom.contract.metrics import action_broker
from loom.contract.naming import Naming
from loom.contract.series import Part
from loom.deploy.artifacts import collector
from loom.deploy.artifacts.dashboards import boards
from loom.deploy.artifacts.grafana import EXEMPLAR_LABEL
from loom.deploy.plan import derive
from loom.deploy.profile import load
from loom.deploy.programs import OTELCOL
from loom.deploy.toolchain.find import require

TRACE = "0af7651916cd43dd8448eb211c80319c"
SERVICE = "exemplar-test"
BUCKETS = Naming().series(action_broker.INVOKE_LATENCY, Part.BUCKET).name

Launch = Callable[[list[str], str, str], None]


class Prometheus(Protocol):
    """What the fixture offers."""

    address: str

    def get(self, path: str, **parameters: object) -> Any: ...  # noqa: ANN401 - depends on the path


def _measurement() -> bytes:
    """One histogram point with one exemplar, as OTLP in JSON."""
    now = str(time.time_ns())
    metric = action_broker.INVOKE_LATENCY
    point = {
        "startTimeUnixNano": now,
        "timeUnixNano": now,
        "count": "1",
        "sum": 0.02,
        "explicitBounds": list(metric.boundaries),
        "bucketCounts": ["1" if bound == 0.025 else "0" for bound in (*metric.boundaries, 0)],
        "exemplars": [
            {"timeUnixNano": now, "asDouble": 0.02, "traceId": TRACE, "spanId": "b7ad6b7169203331"}
        ],
    }
    histogram = {"aggregationTemporality": 2, "dataPoints": [point]}
    scope = {"metrics": [{"name": metric.name, "unit": metric.unit, "histogram": histogram}]}
    name = {"key": "service.name", "value": {"stringValue": SERVICE}}
    resource = {"resource": {"attributes": [name]}, "scopeMetrics": [scope]}
    return json.dumps({"resourceMetrics": [resource]}).encode()


def _post(address: str, path: str) -> int:
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request("POST", path, _measurement(), {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.smoke
def test_a_pushed_exemplar_is_found_by_the_query_of_a_panel(prometheus: Prometheus) -> None:
    assert _post(prometheus.address, "/api/v1/otlp/v1/metrics") == 200
    panel = next(
        panel
        for board in boards(derive(load("dev")))
        for panel in board.panels()
        if panel.text.title == "Invoke latency"
    )
    target = next(target for target in panel.targets if target.exemplars)
    query = target.expression.text
    for variable, value in (("$__rate_interval", "1m"), ("$service", ".*"), ("$environment", ".*")):
        query = query.replace(variable, value)
    now = time.time()
    found = prometheus.get("query_exemplars", query=query, start=now - 60, end=now + 60)
    ours = [series for series in found if series["seriesLabels"]["job"] == SERVICE]
    assert [exemplar["labels"][EXEMPLAR_LABEL] for series in ours for exemplar in series["exemplars"]] == [
        TRACE
    ]


@pytest.mark.smoke
def test_the_exporter_exposes_the_exemplar_under_the_same_label(
    launch: Launch, free_address: Callable[[], str], tmp_path: Path
) -> None:
    # The rendered exporter, with only what an exemplar passes through around it.
    rendered = YAML(typ="safe").load(collector.artifacts(derive(load("dev")))[0].text)
    receiver, exporter = free_address(), free_address()
    configuration = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": receiver}}}},
        "exporters": {"prometheus": rendered["exporters"]["prometheus"] | {"endpoint": exporter}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["prometheus"]}},
        },
    }
    path = tmp_path / "collector.json"
    path.write_text(json.dumps(configuration))
    program = require(OTELCOL, environ=os.environ)[OTELCOL.name]
    launch([str(program), f"--config={path}"], exporter, "/metrics")
    assert _post(receiver, "/v1/metrics") == 200
    connection = HTTPConnection(exporter, timeout=10)
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    exposed = connection.getresponse().read().decode()
    connection.close()
    marked = [line for line in exposed.splitlines() if line.startswith(BUCKETS) and " # {" in line]
    assert len(marked) == 1, exposed
    assert re.search(rf'# {{.*\b{EXEMPLAR_LABEL}="{TRACE}"', marked[0])
