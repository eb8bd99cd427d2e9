"""The fault table: each fault is done to real programs, and the doctor must name it, and nothing else.

One deployment for all; faults that leave traces behind (a restart loop counts for minutes) come last. What a
row of docs/doctor.md says is what was observed here: run with LOOM_WRITE_DOCS=1 to write the rows anew.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loom.contract.metrics import event_bus
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.issue import create
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.vault import prepare
from loom.deploy.plan.edges import LOOM, OPERATOR
from loom.deploy.plan.identity import CA, CERTIFICATE, KEY, PASSWORD
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.programs import OTELCOL
from loom.deploy.toolchain import require
from tests.waiting import until

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "doctor.md"
HEAD, END = "|---|---|---|---|\n", "\n## Every check"
Patient = Any
Harm = Callable[[Patient, Path], AbstractContextManager[dict[str, Any]]]
"""Does it, hands on how the doctor is to be asked (`arguments`, `environ`), and undoes it."""


@dataclass(frozen=True)
class Fault:
    """One row."""

    what: str
    harm: Harm
    cause: str
    """The check that must be the first and only cause."""


def edited(patient: Patient, path: str, old: str, new: str) -> Callable[[], None]:
    """Change a rendered file; what is returned puts it back."""
    file = patient.home.rendered / path
    text = file.read_text()
    assert old in text, f"{path} has no {old}"
    file.write_text(text.replace(old, new, 1))
    return lambda: file.write_text(text) and None


def environment(**environ: str) -> Harm:
    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        own = patient.plan.published(Service.COLLECTOR, Purpose.OTLP_GRPC)
        http = patient.plan.published(Service.COLLECTOR, Purpose.OTLP_HTTP)
        yield {"environ": {name: value.format(own=own, http=http) for name, value in environ.items()}}

    return harm


def stopped(service: Service) -> Harm:
    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        patient.stop(service)
        yield {}
        patient.start(service)
        wait_ready(patient)

    return harm


def wrong_file(path: str, old: str, new: str) -> Harm:
    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        restore = edited(patient, path, old, new)
        yield {}
        restore()

    return harm


@contextmanager
def wrapped(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """A dashboard as Grafana's HTTP API takes it, where a file has to be the bare dashboard."""
    del folder
    file = patient.home.rendered / "grafana" / "dashboards" / "loom-router.json"
    text = file.read_text()
    file.write_text(json.dumps({"dashboard": json.loads(text), "overwrite": True}))
    yield {}
    file.write_text(text)


COLLECTOR_FILE = "native/otel-collector-config.yaml"


def misconfigured(old: str, new: str) -> Harm:
    """The collector runs with another configuration, and telemetry goes through it."""

    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        jaeger = patient.plan.port(Service.JAEGER, Purpose.OTLP_GRPC).native
        restore = edited(patient, COLLECTOR_FILE, old.format(jaeger=jaeger), new)
        patient.restart(Service.COLLECTOR)
        wait_ready(patient)
        patient.example()
        yield {}
        restore()
        patient.restart(Service.COLLECTOR)
        wait_ready(patient)
        patient.example()

    return harm


def unstartable(path: str, service: Service, old: str, new: str) -> Harm:
    """The service cannot start with its configuration; it stays so for the rest of the table."""

    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        restore = edited(patient, path, old, new)
        patient.restart(service)
        until(lambda: patient.fails(service))
        yield {}
        restore()

    return harm


@contextmanager
def lost_target(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """Prometheus scrapes an address where nobody is."""
    del folder
    job = "  - job_name: lost\n    static_configs: [{targets: ['127.0.0.1:1']}]\n  - job_name: jaeger"
    restore = edited(patient, "native/prometheus.yml", "  - job_name: jaeger", job)
    patient.reload_prometheus()
    until(lambda: target("lost", patient) == "down")
    yield {}
    restore()
    patient.reload_prometheus()
    until(lambda: not target("lost", patient))


@contextmanager
def full_disk(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """A small file system over the data of a service, and not a byte free on it."""
    del folder
    assert os.geteuid() == 0, "only root can mount a small file system: run as root, or in .ci/run"
    assert shutil.which("mount"), "there is no program `mount`"
    place = patient.home.data / Service.ALERTMANAGER
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
    try:
        with suppress(OSError), (place / "everything").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        yield {}
    finally:
        subprocess.run(["umount", place], check=True)


@contextmanager
def taken_port(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """Another program got hold of the collector's exporter port first."""
    del folder
    port = patient.plan.port(Service.COLLECTOR, Purpose.EXPORTER).native
    patient.stop(Service.COLLECTOR)
    server = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: listening(port))
        patient.start(Service.COLLECTOR)
        until(lambda: patient.fails(Service.COLLECTOR))
        yield {}
    finally:
        process.terminate()
        process.wait()


def through_proxy(change: Callable[[bytes], bytes], ahead: float = 0.0) -> Harm:
    """Prometheus behind a proxy that changes its answers: what no pinned program does by itself."""

    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        real = patient.address(Service.PROMETHEUS, Purpose.UI)

        class Proxy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with urllib.request.urlopen(real + self.path, timeout=10) as answer:  # noqa: S310 - an http:// of ours
                    body = change(answer.read())
                self.send_response_only(200)
                self.send_header("Date", formatdate(time.time() + ahead, usegmt=True))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
            threading.Thread(target=server.serve_forever).start()
            yield {"arguments": ["--endpoint", f"prometheus=http://127.0.0.1:{server.server_port}"]}
            server.shutdown()

    return harm


SLOW = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%(otlp)d"}}}}
exporters:
  otlp_grpc/slow:
    endpoint: "127.0.0.1:%(store)d"
    tls: {insecure: true}
    sending_queue: {sizer: requests, queue_size: 10, num_consumers: 1}
  nop: {}
extensions: {health_check: {endpoint: "127.0.0.1:%(health)d"}}
service:
  extensions: [health_check]
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %(telemetry)d}}}}]}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_grpc/slow]}
    metrics: {receivers: [otlp], exporters: [nop]}
"""


@contextmanager
def full_queue(_: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """A collector that loom-deploy did not start, before a store that is slower than what comes in."""
    ports = dict(zip(("otlp", "store", "health", "telemetry"), free_ports(4), strict=True))
    config = folder / "otel-collector-config.yaml"
    config.write_text(SLOW % ports)
    binary = require(OTELCOL)[OTELCOL.name]
    store = slow_store(ports["store"])
    process = subprocess.Popen([binary, "--config", config], stderr=subprocess.DEVNULL)
    over = threading.Event()
    sender = threading.Thread(target=send, args=(ports["otlp"], over))
    try:
        until(lambda: listening(ports["otlp"]) and listening(ports["health"]))
        sender.start()
        page = f"http://127.0.0.1:{ports['telemetry']}/metrics"
        until(lambda: "enqueue_failed_spans" in read(page))
        asked = {
            "otlp": ports["otlp"],
            "collector-health": ports["health"],
            "collector-metrics": ports["telemetry"],
        }
        told = [
            part for what, port in asked.items() for part in ("--endpoint", f"{what}=http://127.0.0.1:{port}")
        ]
        yield {"arguments": [*told, "--config", str(config)], "foreign": True}
    finally:
        over.set()
        sender.join()
        process.terminate()
        process.wait()
        store.stop(None)


@contextmanager
def nothing(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """Endpoints of a stack that is not there."""
    del patient, folder
    told = ["prometheus=http://127.0.0.1:1", "collector-health=http://127.0.0.1:1"]
    yield {"arguments": [part for each in told for part in ("--endpoint", each)], "foreign": True}


def slow_store(port: int) -> Any:  # noqa: ANN401 - grpc is not typed
    """Takes one OTLP export in half a second."""

    def take(request: bytes, context: object) -> bytes:
        del request, context
        time.sleep(0.5)
        return b""

    class Slow(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc is not typed
        def service(self, details: object) -> object:
            del details
            return grpc.unary_unary_rpc_method_handler(take)

    server = grpc.server(ThreadPoolExecutor(4), handlers=(Slow(),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def send(port: int, over: threading.Event) -> None:
    """Spans and metrics, until it is over; a refusal is what is wanted."""
    spans = ExportTraceServiceRequest()
    span = spans.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = "publish", b"t" * 16, b"s" * 8
    points = ExportMetricsServiceRequest()
    metric = points.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = "any"
    metric.gauge.data_points.add().as_double = 1.0
    path = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        trace, measure = (
            channel.unary_unary(path.format(*of)) for of in (("trace", "Trace"), ("metrics", "Metrics"))
        )
        while not over.wait(0.05):
            with suppress(grpc.RpcError):
                measure(points.SerializeToString(), timeout=2)
                trace(spans.SerializeToString(), timeout=2)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def listening(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 1)):
        return True
    return False


def read(url: str) -> str:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an http:// of ours
        return str(answer.read().decode())
    return ""


def targets(patient: Patient) -> dict[str, str]:
    """Scrape pool → health."""
    url = patient.address(Service.PROMETHEUS, Purpose.UI) + "/api/v1/targets?state=active"
    rows = json.loads(patient.read(url) or '{"data": {"activeTargets": []}}')["data"]["activeTargets"]
    return {row["scrapePool"]: row["health"] for row in rows}


def target(pool: str, patient: Patient) -> str:
    return targets(patient).get(pool, "")


def wait_ready(patient: Patient) -> None:
    """Everything runs, answers, and is scraped."""

    def ready() -> bool:
        if any(info.state != "RUNNING" for info in patient.supervisor.programs().values()):
            return False
        known = targets(patient)
        return bool(known) and set(known.values()) == {"up"}

    until(ready)


def of_the_past(party: Service, days: int) -> Harm:
    """The party's certificate was made so many days ago, good for one; the program has read it."""

    @contextmanager
    def harm(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
        del folder
        with kept(patient, party):
            issued = Order(days=1, moment=datetime.now(UTC) - timedelta(days))
            renew(patient.plan, patient.vault, issued, [str(party)])
            patient.restart(party)
            until(lambda: patient.supervisor.programs()[party.value].state == "RUNNING")
            yield {}
        patient.restart(party)
        wait_ready(patient)

    return harm


@contextmanager
def kept(patient: Patient, party: str) -> Iterator[Path]:
    """A party's folder of credentials, which is afterwards as it was."""
    place = patient.vault.folder / party
    before = {path: path.read_bytes() for path in place.iterdir() if not path.is_symlink()}
    try:
        yield place
    finally:
        for path, content in before.items():
            path.write_bytes(content)
            path.chmod(0o600)


@contextmanager
def without_key(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """The proxy's key is gone, and the proxy has been started since."""
    del folder
    with kept(patient, Service.PROXY) as place:
        (place / KEY).unlink()
        patient.restart(Service.PROXY)
        until(lambda: patient.fails(Service.PROXY))
        yield {}
    until(lambda: patient.supervisor.programs()[Service.PROXY.value].state != "BACKOFF")
    patient.start(Service.PROXY)
    wait_ready(patient)


@contextmanager
def forgotten_password(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """The operator's password is another one than the servers were told of."""
    del folder
    with kept(patient, OPERATOR) as place:
        (place / PASSWORD).write_text("another one\n")
        yield {}


@contextmanager
def stranger(patient: Patient, folder: Path) -> Iterator[dict[str, Any]]:
    """Loom shows a certificate that another authority signed."""
    other = prepare(folder / "rendered")
    create(patient.plan, other, Order())
    place = other.folder / LOOM
    told = dict(zip((CA, CERTIFICATE, KEY), PAPERS, strict=True))
    # It trusts the right one: only what it shows is wrong.
    environ = {variable: str(place / file) for file, variable in told.items()}
    environ[told[CA]] = str(patient.vault.folder / LOOM / CA)
    yield {"environ": {REAL: patient.address(Service.COLLECTOR, Purpose.OTLP_GRPC), **environ}}


PAPERS = (
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
)
REAL = "OTEL_EXPORTER_OTLP_ENDPOINT"
FAULTS = (
    Fault(
        "wrong endpoint: a port where nobody listens",
        environment(**{REAL: "http://127.0.0.1:1"}),
        "endpoint-connects",
    ),
    Fault("wrong endpoint: no scheme", environment(**{REAL: "{own}"}), "endpoint-formed"),
    Fault(
        "wrong endpoint: a host without an address",
        environment(**{REAL: "http://collector.invalid:4317"}),
        "endpoint-resolves",
    ),
    Fault("gRPC sent to the HTTP port", environment(**{REAL: "http://{http}"}), "endpoint-speaks-otlp"),
    Fault(
        "HTTP sent to the gRPC port",
        environment(**{REAL: "http://{own}", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}),
        "endpoint-speaks-otlp",
    ),
    Fault("sampler off", environment(OTEL_TRACE_SAMPLER="always_off"), "sampler"),
    Fault("malformed sampler", environment(OTEL_TRACE_SAMPLER="traceidratio"), "sampler"),
    Fault("SDK switched off", environment(OTEL_SDK_DISABLED="true"), "sdk-enabled"),
    Fault("collector stopped", stopped(Service.COLLECTOR), "otel-collector-runs"),
    Fault("backend stopped (Jaeger)", stopped(Service.JAEGER), "jaeger-runs"),
    Fault("Alertmanager stopped", stopped(Service.ALERTMANAGER), "alertmanager-runs"),
    Fault("target down", lost_target, "targets"),
    Fault("wrong namespace", misconfigured('namespace: ""', "namespace: loom"), "names-agree"),
    Fault(
        "healthy collector that does not deliver",
        misconfigured("endpoint: 127.0.0.1:{jaeger}", "endpoint: 127.0.0.1:1"),
        "collector-delivers",
    ),
    Fault(
        "wrong data source uid",
        wrong_file("grafana/provisioning/datasources/loom.yaml", "uid: prometheus", "uid: PBFA97CFB590B2093"),
        "data-sources",
    ),
    Fault(
        "data source at localhost",
        wrong_file(
            "grafana/provisioning/datasources/loom.yaml", "http://prometheus:9090", "http://localhost:9090"
        ),
        "data-sources",
    ),
    Fault("wrapped dashboard JSON", wrapped, "dashboards"),
    Fault(
        "dashboard with the folder's title",
        wrong_file("grafana/dashboards/loom-router.json", '"title": "Loom Router"', '"title": "Loom"'),
        "dashboards",
    ),
    Fault("full disk", full_disk, "disk"),
    Fault("clock off (a proxy shifts the Date)", through_proxy(lambda body: body, 300), "clock"),
    Fault(
        "version mismatch (a proxy says another)",
        through_proxy(lambda body: body.replace(b'"version":"3.16.0"', b'"version":"2.45.0"')),
        "versions",
    ),
    Fault("exporter queue full, on a foreign stack", full_queue, "collector-queue"),
    Fault("nothing runs", nothing, "stack"),
    Fault(
        "`logging` exporter",
        unstartable(COLLECTOR_FILE, Service.COLLECTOR, "exporters:\n", "exporters:\n  logging: {}\n"),
        "collector-components",
    ),
    Fault(
        "invalid YAML",
        unstartable(COLLECTOR_FILE, Service.COLLECTOR, "exporters:\n", "exporters: [\n"),
        "collector-yaml",
    ),
    Fault(
        "a key that the collector does not know",
        unstartable(COLLECTOR_FILE, Service.COLLECTOR, "check_interval: 1s", "check_intervall: 1s"),
        "collector-accepts",
    ),
    Fault("port taken by another process", taken_port, "ports"),
    Fault(
        "restart loop",
        unstartable(COLLECTOR_FILE, Service.COLLECTOR, "endpoint: 127.0.0.1:", "endpoint: 192.0.2.1:"),
        "otel-collector-runs",
    ),
)

PROTECTED = (
    Fault(
        "Loom sends plain text to a port that speaks TLS",
        environment(**{REAL: "http://{own}"}),
        "endpoint-speaks-otlp",
    ),
    Fault("Loom has no certificates", environment(**{REAL: "https://{own}"}), "endpoint-speaks-otlp"),
    Fault("Loom shows a certificate of another authority", stranger, "endpoint-speaks-otlp"),
    Fault(
        "a file of certificates that is not there",
        environment(**{REAL: "https://{own}", PAPERS[0]: "/nowhere/ca.pem"}),
        "endpoint-speaks-otlp",
    ),
    Fault(
        "the collector's certificate has ended",
        of_the_past(Service.COLLECTOR, 20),
        "certificates",
    ),
    Fault("a password that nobody was told of", forgotten_password, "certificates"),
    Fault("the proxy stopped", stopped(Service.PROXY), "proxy-runs"),
    Fault("a key that is not there", without_key, "certificates"),
)
"""The same for a deployment with certificates and passwords."""


def row(fault: Fault, finding: dict[str, Any], patient: Patient) -> str:
    """What the doctor said, without what differs from run to run."""
    found = normal(finding["evidence"], patient)
    found = f"{found[:237]}…" if len(found) > 240 else found
    return f"| {fault.what} | `{finding['name']}` | {found} | {normal(finding['remedy'], patient)} |"


def normal(text: str, patient: Patient) -> str:
    def port(match: re.Match[str]) -> str:
        number = int(match[0])
        return str(
            number - patient.offset
            if number - patient.offset in DOCUMENTED
            else "PORT"
            if number > 30_000
            else number
        )

    text = text.replace(str(patient.home.root), "HOME").replace(sys.executable, "python")
    text = re.sub(r"/tmp/[^ :]*", "…", text)
    text = re.sub(r"has ended on \S+", "has ended on DAY", text)
    text = re.sub(
        r"\d{4}-\d\d-\d\dT[\d:.]+Z|pid \d+", lambda found: "pid N" if "pid" in found[0] else "…", text
    )
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", text)
    text = re.sub(r"(?<![\w.])\d{5}(?![\w.])", port, text)
    for varying, fixed in VARYING.items():
        text = re.sub(varying, fixed, text)
    return " ".join(text.replace("|", "/").split())


VARYING = {
    r"line \d+, column \d+": "line N, column N",
    r"\d+ of 10; \d+ dropped": "N of 10; N dropped",
    r"\d+ are queued": "N are queued",
    r"BACKOFF|FATAL": "BACKOFF or FATAL",
    r"\d+ times": "N times",
    # Dates count whole seconds, so two answers of one proxy may differ by one.
    r"PORT/\S+ says a time \d+ s": "PORT/… says a time N s",
    # With and without a name server.
    "Name or service not known|Temporary failure in name resolution": "no address",
}
DOCUMENTED = {4317, 4318, 8887, 8888, 8889, 9090, 9093, 9469, 13133, 13134, 14317, 16686, 16687}


@pytest.mark.smoke
@pytest.mark.slow
def test_a_stack_that_has_just_started_is_told_to_wait_and_is_not_called_broken(patient: Patient) -> None:
    found = patient.doctor("--name", patient.name, OTEL_METRIC_EXPORT_INTERVAL="600000")
    (reports,) = (check for check in found["checks"] if check["name"] == "loom-reports")
    assert found["healthy"], found
    assert reports["verdict"] == "cannot tell"
    assert re.search(r"wait until \d\d:\d\d:\d\d UTC", reports["remedy"])


@pytest.mark.smoke
@pytest.mark.slow
def test_nothing_is_reported_on_a_healthy_stack(patient: Patient) -> None:
    wait_ready(patient)
    assert_healthy(patient)


@pytest.mark.smoke
@pytest.mark.slow
def test_nothing_is_reported_on_a_healthy_stack_of_production(guarded: Patient) -> None:
    wait_ready(guarded)
    assert_healthy(guarded)


def assert_healthy(patient: Patient) -> None:
    """Nothing but what the disk of this machine has no room for."""
    names = patient.address(Service.PROMETHEUS, Purpose.UI) + "/api/v1/label/__name__/values"
    patient.example()
    until(lambda: patient.plan.naming.series(event_bus.BACKLOG).name in patient.read(names))
    for _ in range(3):  # as above
        found = patient.doctor("--name", patient.name)
        bad = [check for check in found["checks"] if check["verdict"] not in {"ok", "not applicable"}]
        bad = [check for check in bad if (check["name"], check["verdict"]) != ("disk", "warning")]
        if not bad:
            break
    assert bad == []
    assert sum(check["verdict"] == "ok" for check in found["checks"]) >= 30


@pytest.mark.smoke
@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_the_first_and_only_cause(fault: Fault, patient: Patient, tmp_path: Path) -> None:
    assert_named(fault, patient, tmp_path)


@pytest.mark.smoke
@pytest.mark.slow
@pytest.mark.parametrize("fault", PROTECTED, ids=lambda fault: fault.what)
def test_a_fault_of_production_is_the_first_and_only_cause(
    fault: Fault, guarded: Patient, tmp_path: Path
) -> None:
    assert_named(fault, guarded, tmp_path)


def causes_of(found: dict[str, Any]) -> list[str]:
    """What is broken by itself."""
    return [
        check["name"] for check in found["checks"] if check["verdict"] == "broken" and not check["because"]
    ]


def assert_named(fault: Fault, patient: Patient, tmp_path: Path) -> None:
    """Do it, ask the doctor, and compare what it says with the page."""
    with fault.harm(patient, tmp_path) as how:
        who = [] if how.get("foreign") else ["--name", patient.name]
        for _ in range(3):  # one slow scrape or answer of a busy machine is a cause of its own
            found = patient.doctor(*who, *how.get("arguments", ()), **how.get("environ", {}))
            causes = causes_of(found)
            if causes == [fault.cause]:
                break
    shown = [check for check in found["checks"] if check["verdict"] not in {"ok", "not applicable"}]
    assert causes == [fault.cause], json.dumps(shown, indent=1)
    assert found["first_cause"] == fault.cause
    (finding,) = (check for check in found["checks"] if check["name"] == fault.cause)
    assert finding["remedy"]
    line = row(fault, finding, patient)
    print(line)  # noqa: T201 - shown by pytest -s
    if os.environ.get("LOOM_WRITE_DOCS"):
        rewrite(fault, line)
    assert line in PAGE.read_text().splitlines(), "run with LOOM_WRITE_DOCS=1, and read what changed"


def rewrite(fault: Fault, line: str) -> None:
    """Put the row where it belongs, in the order of the faults; rows of faults that are no more go."""
    before, head, rest = PAGE.read_text().partition(HEAD)
    table, end, after = rest.partition(END)
    held = {old.split(" | ")[0].removeprefix("| "): old for old in table.splitlines() if old} | {
        fault.what: line
    }
    rows = "".join(f"{held[each.what]}\n" for each in (*FAULTS, *PROTECTED) if each.what in held)
    PAGE.write_text(f"{before}{head}{rows}{end}{after}")


def test_the_page_has_a_row_for_each_fault() -> None:
    table = PAGE.read_text().partition(END)[0]
    rows = re.findall(r"^\| ([^|]+) \| `([^`]+)` \|", table, re.MULTILINE)
    assert rows == [(fault.what, fault.cause) for fault in (*FAULTS, *PROTECTED)]
