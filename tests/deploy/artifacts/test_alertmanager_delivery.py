"""What the real Alertmanager does with our configuration: who is silenced, what arrives, how often."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from loom.contract import foreign
from loom.contract.objective import SLO
from loom.contract.resource import ENVIRONMENT_LABEL, JOB
from loom.deploy import profile
from loom.deploy.artifacts import alertmanager, rules
from loom.deploy.plan import Plan, derive
from loom.deploy.plan.model import Service
from loom.deploy.programs import ALERTMANAGER
from loom.deploy.toolchain import require
from tests.waiting import until

ALERTING = """
  receivers:
    - {name: ops, url_secret: ops_url}
    - {name: chat, slack: {url_secret: chat_url, channel: "#alerts"}}
  heartbeat: {url_secret: switch_url, interval: 1s}
"""


@dataclass(frozen=True)
class Case:
    """A cause and another alert, each with labels of its own, and whether the one silences the other."""

    cause: str
    by: dict[str, str]
    effect: str
    on: dict[str, str]
    silenced: bool


SUCCESS, LATENCY = "LoomInvokeSuccessBudgetBurn", "LoomInvokeLatencyBudgetBurn"
INHIBITIONS = [
    Case("LoomAgentsDown", {}, "LoomAgentsDown", {}, silenced=False),
    Case("LoomMcpServerDown", {JOB: "a"}, "LoomMcpServerFlapping", {JOB: "a"}, silenced=True),
    Case("LoomMcpServerDown", {JOB: "a"}, "LoomMcpServerFlapping", {JOB: "b"}, silenced=False),
    Case("LoomMcpServerDown", {"server": "a"}, "LoomMcpServerFlapping", {"server": "b"}, silenced=False),
    Case("PrometheusVolumeFull", {JOB: "a"}, "PrometheusVolumeFilling", {JOB: "a"}, silenced=True),
    Case("PrometheusVolumeFull", {JOB: "a"}, "PrometheusConfigInvalid", {JOB: "a"}, silenced=False),
    Case("CollectorQueueFull", {"exporter": "a"}, "CollectorLosingData", {"exporter": "a"}, silenced=True),
    Case("CollectorQueueFull", {"exporter": "a"}, "CollectorLosingData", {"exporter": "b"}, silenced=False),
    Case(
        "CollectorQueueFull", {"exporter": "a"}, "CollectorRefusingData", {"receiver": "otlp"}, silenced=True
    ),
    Case(
        "PipelineTargetDown",
        {JOB: foreign.JOB_JAEGER},
        "CanaryMissing",
        {"signal": "metrics"},
        silenced=False,
    ),
    Case("LoomMcpServerDown", {JOB: "a"}, "LoomAgentFailing", {JOB: "a"}, silenced=False),
    Case("PipelineTargetDown", {JOB: foreign.JOB_EXPORTER}, "LoomTelemetryAbsent", {}, silenced=True),
    Case("PipelineTargetDown", {JOB: foreign.JOB_JAEGER}, "LoomTelemetryAbsent", {}, silenced=False),
    Case("PipelineTargetDown", {JOB: foreign.JOB_COLLECTOR}, "LoomServiceSilent", {JOB: "a"}, silenced=True),
    Case("PipelineTargetDown", {JOB: foreign.JOB_COLLECTOR}, "Watchdog", {}, silenced=False),
    Case("LoomTelemetryAbsent", {}, "LoomServiceSilent", {JOB: "a"}, silenced=True),
    Case(f"{SUCCESS}Fast", {JOB: "a", SLO: "x"}, f"{SUCCESS}Slow", {JOB: "a", SLO: "x"}, silenced=True),
    Case(f"{SUCCESS}Fast", {JOB: "a", SLO: "x"}, f"{LATENCY}Slow", {JOB: "a", SLO: "y"}, silenced=False),
    Case(f"{SUCCESS}Fast", {JOB: "a", SLO: "x"}, "LoomCapabilityFailing", {JOB: "a"}, silenced=False),
    Case(
        "PipelineTargetDown", {JOB: foreign.JOB_JAEGER}, "CanaryMissing", {"signal": "traces"}, silenced=True
    ),
    Case("CanaryMissing", {"signal": "traces"}, "CanaryFailing", {"signal": "traces"}, silenced=True),
    Case("CanaryMissing", {"signal": "traces"}, "CanaryFailing", {"signal": "metrics"}, silenced=False),
]


class Stub:
    """An HTTP server that keeps what it is sent, by path."""

    def __init__(self) -> None:
        """Listen on a port of its own; `serving` answers."""
        self.got: dict[str, list[Any]] = {}
        self.times: dict[str, list[float]] = {}
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.got.setdefault(self.path, []).append(body)
                stub.times.setdefault(self.path, []).append(time.monotonic())
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["Stub"]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            thread.join()
            self.server.server_close()


class Running:
    """The real Alertmanager, and what its receivers were sent."""

    def __init__(self, plan: Plan, stub: Stub, url: str) -> None:
        """It runs at the URL, with the plan's configuration."""
        self.plan, self.stub, self.url = plan, stub, url
        self.alerts = {alert.name: alert for alert in rules.alerts(plan)}

    def fire(self, name: str, labels: dict[str, str]) -> dict[str, str]:
        """Let an alert fire, as Prometheus would; all its labels."""
        alert = self.alerts[name]
        carried = {"alertname": name, "severity": str(alert.severity), "component": alert.component, **labels}
        annotations = {"summary": f"{name} it is", "runbook_url": f"https://example.org/{name}.md"}
        self.ask("/api/v2/alerts", [{"labels": carried, "annotations": annotations}])
        return carried

    def ask(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})  # noqa: S310 - as below
        with urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
            text = answer.read()
        return json.loads(text) if text.startswith((b"{", b"[")) else text

    def silenced(self, labels: dict[str, str]) -> bool:
        """Whether an alert with exactly these labels is silenced by another."""
        (found,) = (one for one in self.ask("/api/v2/alerts") if one["labels"] == labels)
        return bool(found["status"]["inhibitedBy"])


@pytest.fixture(scope="module")
def alertmanager_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The rendered native configuration, with its waits cut to nothing."""
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "called.yaml").write_text(
        f"extends: dev\nname: called\ncanary: {{enabled: true}}\nalerting:\n{ALERTING}"
    )
    plan = derive(profile.load(folder / "called.yaml"))
    text = alertmanager.artifacts(plan)[1].text
    for wait in ("10s", "30s"):
        text = text.replace(f"group_wait: {wait}", "group_wait: 0s")
    with Stub().serving() as stub:
        secrets = folder / "secrets" / Service.ALERTMANAGER
        secrets.mkdir(parents=True)
        for name in plan.profile.alerting.secrets:
            (secrets / name).write_text(f"{stub.url}/{name}")
        (folder / "native").mkdir()
        (folder / "native" / alertmanager.NAME).write_text(text)
        with _process(folder) as url:
            yield Running(plan, stub, url)


@contextmanager
def _process(folder: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    command = [
        str(require(ALERTMANAGER)[ALERTMANAGER.name]),
        f"--config.file={folder / 'native' / alertmanager.NAME}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        *alertmanager.FLAGS,
    ]
    with (folder / "log").open("wb") as log:
        # As supervisord starts it: files of secrets are found from there.
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder / "native")
    try:
        until(lambda: _answers(f"http://{address}/-/ready"))
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):  # noqa: S310 - loopback
            return True
    except OSError:
        return False


@pytest.mark.smoke
@pytest.mark.parametrize("case", INHIBITIONS, ids=lambda case: f"{case.cause}-{case.effect}-{case.silenced}")
def test_a_cause_silences_what_is_no_news_and_nothing_else(
    alertmanager_runs: Running, case: Case, request: pytest.FixtureRequest
) -> None:
    # Each case in an environment of its own: they do not see one another.
    place = {ENVIRONMENT_LABEL: request.node.name}
    alertmanager_runs.fire(case.cause, {**case.by, **place})
    labels = alertmanager_runs.fire(case.effect, {**case.on, **place})
    until(lambda: alertmanager_runs.silenced(labels) is case.silenced)


@pytest.mark.smoke
def test_a_message_says_what_is_wrong_and_links_to_the_page(alertmanager_runs: Running) -> None:
    alertmanager_runs.fire("LoomToolFailing", {ENVIRONMENT_LABEL: "message"})
    got = alertmanager_runs.stub.got
    until(lambda: "LoomToolFailing it is" in json.dumps(got.get("/chat_url", [])))
    until(lambda: "LoomToolFailing" in json.dumps(got.get("/ops_url", [])))
    (message,) = (one for one in got["/chat_url"] if "LoomToolFailing it is" in json.dumps(one))
    assert "https://example.org/LoomToolFailing.md" in json.dumps(message)
    assert message["channel"] == "#alerts"


@pytest.mark.smoke
def test_the_heartbeat_is_called_at_every_interval_and_not_at_every_second_one(
    alertmanager_runs: Running,
) -> None:
    alertmanager_runs.fire("Watchdog", {})
    got = alertmanager_runs.stub.got
    until(lambda: len(got.get("/switch_url", ())) > 4)
    gaps = [later - earlier for earlier, later in pairwise(alertmanager_runs.stub.times["/switch_url"])]
    heartbeat = alertmanager_runs.plan.profile.alerting.heartbeat
    assert heartbeat
    # Left out every second time, none would be shorter than two intervals.
    assert min(gaps) < 1.5 * heartbeat.interval.seconds
    told = [
        alert["labels"]["alertname"] for message in got.get("/ops_url", []) for alert in message["alerts"]
    ]
    assert "Watchdog" not in told
