"""Certificates, authorities and tokens rotated under load, on the real collector: nothing is lost."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from loom.contract import environment as e
from loom.contract.metrics import event_bus as metrics
from loom.contract.spans import event_bus as spans
from loom.deploy.programs import OTELCOL
from loom.deploy.toolchain import require
from loom.receiver import Recorder
from loom.telemetry import Telemetry, from_environ, setup

Authority = Callable[[str], Any]
_SECONDS = 240.0


def free_port() -> int:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Collector:
    """The real one, over mutual TLS and with a token, sending on to a recorder."""

    def __init__(self, folder: Path, home: Path, receiver: Recorder) -> None:
        """Configured, not started; its credentials are in `home`."""
        self.grpc, self.http = free_port(), free_port()
        self.home = home
        self._folder = folder
        tls = {
            "cert_file": str(home / "cert.pem"),
            "key_file": str(home / "key.pem"),
            "client_ca_file": str(home / "ca.pem"),
            "client_ca_file_reload": True,
            "min_version": "1.3",
            "reload_interval": "100ms",
        }
        protocols = {
            kind: {"endpoint": f"127.0.0.1:{port}", "tls": tls, "auth": {"authenticator": "bearertokenauth"}}
            for kind, port in (("grpc", self.grpc), ("http", self.http))
        }
        pipeline = {"receivers": ["otlp"], "exporters": ["otlp_grpc"]}
        configuration = {
            "extensions": {"bearertokenauth": {"filename": str(home / "token")}},
            "receivers": {"otlp": {"protocols": protocols}},
            "exporters": {
                "otlp_grpc": {
                    "endpoint": receiver.endpoint.removeprefix("http://"),
                    "tls": {"insecure": True},
                    "sending_queue": {"enabled": False},
                }
            },
            "service": {
                "extensions": ["bearertokenauth"],
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"traces": pipeline, "metrics": pipeline},
            },
        }
        (folder / "collector.yaml").write_text(yaml.safe_dump(configuration))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until it listens; killed behind the block."""
        program = require(OTELCOL)[OTELCOL.name]
        command = [str(program), "--config", str(self._folder / "collector.yaml")]
        with (self._folder / "collector.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            assert settled(lambda: self.presents(self.home)), (self._folder / "collector.log").read_text()
            yield
        finally:
            process.kill()
            process.wait(10)

    def presents(self, home: Path) -> bool:
        """Whether it shows the certificate that its folder has, and lets in whom that folder vouches for."""
        context = ssl.create_default_context(cafile=home / "ca.pem")
        context.load_cert_chain(home / "cert.pem", home / "key.pem")
        try:
            with (
                create_connection(("localhost", self.http), 5) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as channel,
            ):
                # Only the first answer tells whether our certificate was taken.
                channel.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answered = channel.recv(5)
                shown = channel.getpeercert(binary_form=True) or b""
        except OSError:
            return False
        own = ssl.PEM_cert_to_DER_cert((home / "cert.pem").read_text())
        return answered == b"HTTP/" and shown == own


def settled(condition: Callable[[], bool]) -> bool:
    """Whether it comes true in time, asked a few times a second."""
    pause = Event()
    return any(condition() or pause.wait(0.1) for _ in range(int(_SECONDS * 10)))


@contextmanager
def load(telemetry: Telemetry) -> Iterator[None]:
    """Spans and counts, all the time, from a thread."""
    stop = Event()
    tally = telemetry.counter(metrics.PUBLISHED).series("a", "batched")

    def work() -> None:
        while not stop.wait(0.002):
            tally.n += 1
            with telemetry.span(spans.PUBLISH, {}):
                pass

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def environment(protocol: str, collector: Collector, home: Path) -> dict[str, str]:
    port = collector.grpc if protocol == "grpc" else collector.http
    return {
        e.ENDPOINT.name: f"https://localhost:{port}",
        e.PROTOCOL.name: protocol,
        e.CERTIFICATE.name: str(home / "ca.pem"),
        e.CLIENT_CERTIFICATE.name: str(home / "cert.pem"),
        e.CLIENT_KEY.name: str(home / "key.pem"),
        e.TOKEN_FILE.name: str(home / "token"),
        e.TIMEOUT.name: "60",
        e.SPAN_DELAY.name: "50",
        e.EXPORT_INTERVAL.name: "200",
    }


def arriving(receiver: Recorder) -> None:
    """Wait for three more requests of each signal: an export under way now ends with the second."""
    before = len(receiver.traces), len(receiver.metrics)
    assert settled(lambda: len(receiver.traces) > before[0] + 2 and len(receiver.metrics) > before[1] + 2)


@pytest.fixture
def _other_authorities(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """What else may be set on a machine must not change whom we trust."""
    foreign = authority("foreign").issue("nobody")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(foreign / "ca.pem"))


@pytest.mark.smoke
@pytest.mark.usefixtures("_other_authorities")
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_everything_is_rotated_under_load_and_every_span_arrives(
    protocol: str, tmp_path: Path, receiver: Recorder, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    former, next_one = authority("former"), authority("next")
    homes = {party: former.issue(party) for party in ("collector", "loom")}
    for home in homes.values():
        (home / "token").write_text("hunter2\n")
    collector = Collector(tmp_path, homes["collector"], receiver)
    both = former.certificate + next_one.certificate

    def replace(issuer: Any, trusted: bytes) -> None:  # noqa: ANN401 - the fixture's class has no importable name
        for party, home in homes.items():
            fresh = issuer.issue(party, trusted=trusted)
            for name in ("ca.pem", "key.pem", "cert.pem"):  # the pair does not match for a moment
                issuer.put(home / name, (fresh / name).read_bytes())
        assert settled(lambda: collector.presents(homes["collector"]))
        arriving(receiver)

    with collector.running():
        telemetry = setup(from_environ(environment(protocol, collector, homes["loom"])))
        with load(telemetry):
            arriving(receiver)
            replace(former, both)  # trust the next authority beside the former one,
            replace(next_one, both)  # use certificates of the next one,
            replace(next_one, next_one.certificate)  # trust it alone.
        assert telemetry.flush(60)  # what the first collector has not got, the second gets when it is there
    # Whoever did not follow is out from here on: connections from before are gone.
    for home in homes.values():
        next_one.put(home / "token", b"hunter3\n")
    with collector.running():
        with load(telemetry):
            arriving(receiver)
        assert telemetry.shutdown(60)
    assert set(telemetry.ledger.lost.values()) == {0}
    seen = {span.span_id for span in receiver.spans()}
    assert telemetry.ledger.created == telemetry.ledger.exported == len(seen) > 100
    assert "hunter" not in caplog.text
