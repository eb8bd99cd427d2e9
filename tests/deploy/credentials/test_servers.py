"""Real programs with our certificates and passwords: they take the right ones, no others, and reload."""

import http.client
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from loom.deploy.credentials.access import Access
from loom.deploy.credentials.authority import Order
from loom.deploy.credentials.keeping import initialise, rotate
from loom.deploy.credentials.rotation import renew
from loom.deploy.credentials.succession import Step, replace
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.model import Plan
from loom.deploy.programs import OTELCOL, PROMETHEUS, PROMTOOL
from loom.deploy.toolchain import require
from tests.waiting import until

pytestmark = pytest.mark.smoke


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass
class Server:
    """A server on loopback, asked over a connection of its own each time."""

    port: int
    path: str

    def status(self, context: ssl.SSLContext | None, headers: dict[str, str]) -> int:
        """What it answers; OSError when it refuses the connection."""
        assert context is not None
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        try:
            connection.request("GET", self.path, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def up(self, access: Access) -> bool:
        try:
            return self.status(access.context(), access.headers()) == http.client.OK
        except OSError:
            return False


@pytest.fixture
def prometheus(plan: Plan, created: Vault, port: int, tmp_path: Path) -> Iterator[Server]:
    """Prometheus behind the web configuration that `secrets init` wrote."""
    initialise(plan, created)
    (tmp_path / "prometheus.yml").write_text("{}")
    command = [
        str(require(PROMETHEUS)[PROMETHEUS.name]),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.config.file={created.file('prometheus', 'web.yml')}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        server = Server(port, "/-/ready")
        try:
            until(lambda: server.up(Access(created.folder / "operator")))
            yield server
        finally:
            process.kill()


@dataclass
class Load:
    """Somebody who asks over and over as fast as it goes, reading the credentials anew each time."""

    server: Server
    access: Access
    tries: int
    """How often it asks before it counts as refused: senders of telemetry try again."""
    asked: int = 0
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.is_set():
            if not any(self.server.up(self.access) for _ in range(self.tries)):
                self.refused.append(f"request {self.asked}")
            self.asked += 1


def under_load(load: Load, work: Callable[[int], object], times: int) -> None:
    """Do the work so many times, with requests before, between and after."""
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        for number in range(times):
            seen = load.asked
            work(number)
            until(lambda seen=seen: load.asked > seen + 2)  # type: ignore[misc]  # a default binds the value
    finally:
        load.over.set()
        thread.join()


@pytest.mark.parametrize("holder", ["prometheus", "alertmanager"])
def test_promtool_accepts_the_web_configuration(plan: Plan, created: Vault, holder: str) -> None:
    initialise(plan, created)
    done = subprocess.run(
        [require(PROMTOOL)[PROMTOOL.name], "check", "web-config", created.file(holder, "web.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_operator_gets_in_and_nobody_without_the_password(prometheus: Server, created: Vault) -> None:
    access = Access(created.folder / "operator")
    context = access.context()

    def basic(text: str) -> dict[str, str]:
        return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}

    assert prometheus.status(context, access.headers()) == http.client.OK
    for wrong in ({}, basic("operator:guess"), basic("jaeger:guess"), basic(":")):
        assert prometheus.status(context, wrong) == http.client.UNAUTHORIZED
    stranger = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        prometheus.status(stranger, {})
    assert context is not None
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        prometheus.status(context, access.headers())


def test_a_new_password_counts_at_once_and_the_old_one_no_more(
    prometheus: Server, plan: Plan, created: Vault
) -> None:
    access = Access(created.folder / "operator")
    old = access.headers()
    rotate(plan, created, "operator")
    assert prometheus.status(access.context(), access.headers()) == http.client.OK
    assert prometheus.status(access.context(), old) == http.client.UNAUTHORIZED


def test_certificates_and_then_the_authority_change_under_load_and_nobody_is_refused(
    prometheus: Server, plan: Plan, created: Vault
) -> None:
    load = Load(prometheus, Access(created.folder / "operator"), tries=2)

    def work(number: int) -> None:
        if number < 7:
            renew(plan, created, Order())
        else:
            replace(plan, created, Order(), list(Step)[number - 7])

    under_load(load, work, 10)
    assert load.refused == []
    assert load.asked >= 20
    replace(plan, created, Order(), Step.TRUST)


@pytest.fixture
def collector(created: Vault, port: int, tmp_path: Path) -> Iterator[Server]:
    """A collector that asks for client certificates, and looks for new files all the time."""
    own = created.folder / "otel-collector"
    (tmp_path / "config.yaml").write_text(
        f"""
extensions:
  health_check:
    endpoint: 127.0.0.1:{port}
    tls:
      cert_file: {own}/cert.pem
      key_file: {own}/key.pem
      client_ca_file: {own}/ca.pem
      client_ca_file_reload: true
      reload_interval: 10ms
      min_version: "1.3"
receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}
exporters: {{nop: }}
service:
  extensions: [health_check]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}
"""
    )
    command = [str(require(OTELCOL)[OTELCOL.name]), "--config", str(tmp_path / "config.yaml")]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        server = Server(port, "/")
        try:
            until(lambda: server.up(Access(created.folder / "operator")))
            yield server
        finally:
            process.kill()


def _renewed(plan: Plan, vault: Vault, order: Order, _: int) -> None:
    renew(plan, vault, order)


def test_the_collector_knows_its_callers_by_certificates_that_change_under_load(
    collector: Server, plan: Plan, created: Vault
) -> None:
    stranger = ssl.create_default_context(cafile=str(created.file("operator", "ca.pem")))
    with pytest.raises(OSError, match=r"certificate required|reset|broken pipe"):
        collector.status(stranger, {})
    for order, tries in ((Order(keep_keys=True), 1), (Order(), 2)):
        load = Load(collector, Access(created.folder / "operator"), tries)
        under_load(load, partial(_renewed, plan, created, order), 8)
        assert load.refused == []
