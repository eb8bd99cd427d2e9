"""Headers, deadlines, compression and TLS: what the environment says is what the collector sees."""

import datetime as dt
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from loom.contract import environment as e
from loom.contract.metrics import event_bus
from loom.contract.spans import event_bus as spans
from loom.errors import EnvironmentValueError
from loom.receiver import Recorder
from loom.receiver.recorder import Requests
from loom.receiver.rpc import _handler
from loom.receiver.signals import signals
from loom.telemetry import Options, from_environ, setup


class Identity(NamedTuple):
    """A certificate that vouches for itself, and its key, as files."""

    certificate: Path
    key: Path


def identity(folder: Path, name: str) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


class Listener(Recorder):
    """What arrived, and with which headers."""

    headers: dict[str, dict[str, str]]
    """Signal → the headers of its latest request."""


class Notes(grpc.ServerInterceptor):  # type: ignore[misc]  # grpcio ships no types
    """Keeps headers, which the product's own receiver does not look at."""

    def __init__(self) -> None:
        """None yet."""
        self.headers: dict[str, dict[str, str]] = {}

    def intercept_service(self, continuation: Any, details: Any) -> Any:  # noqa: ANN401 - as above
        self.headers["traces" if "trace" in details.method else "metrics"] = dict(details.invocation_metadata)
        return continuation(details)


@contextmanager
def receive(credentials: Any = None) -> Iterator[Listener]:  # noqa: ANN401 - as above
    """The product's handlers behind a server that keeps headers and, with credentials, wants TLS."""
    notes, requests = Notes(), Requests()
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[notes])
    server.add_generic_rpc_handlers([_handler(signal) for signal in signals(requests)])
    place = "127.0.0.1:0"
    if credentials is None:
        endpoint = f"http://{place[:-1]}{server.add_insecure_port(place)}"
    else:
        endpoint = f"https://localhost:{server.add_secure_port(place, credentials)}"
    listener = Listener(requests, endpoint)
    listener.headers = notes.headers
    server.start()
    try:
        yield listener
    finally:
        server.stop(None).wait(10)


def send(receiver: Recorder, environ: Mapping[str, str]) -> bool:
    """One span and one count; whether both were acknowledged."""
    settings = from_environ({e.ENDPOINT.name: receiver.endpoint, **environ})
    telemetry = setup(settings, Options(periodic=False))
    telemetry.counter(event_bus.PUBLISHED).series("a", "batched").n += 1
    with telemetry.span(spans.PUBLISH, {}):
        pass
    return telemetry.shutdown(10)


def test_headers_reach_the_collector_and_those_of_a_signal_win() -> None:
    with receive() as receiver:
        assert send(
            receiver,
            {
                e.HEADERS.name: "Authorization=Bearer%20abc, x-tenant = a=b ",
                e.METRICS.headers.name: "x-tenant=metrics",
            },
        )
    traces, metrics = receiver.headers["traces"], receiver.headers["metrics"]
    assert (traces["authorization"], traces["x-tenant"]) == ("Bearer abc", "a=b")
    assert metrics["x-tenant"] == "metrics"
    assert "authorization" not in metrics


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate", "GZIP"])
def test_every_compression_arrives(compression: str) -> None:
    with receive() as receiver:
        assert send(receiver, {e.COMPRESSION.name: compression})
    assert receiver.spans()[0].name == spans.PUBLISH.name


def test_a_collector_with_tls_is_trusted_by_its_certificate_only(tmp_path: Path) -> None:
    collector, other = identity(tmp_path, "collector"), identity(tmp_path, "other")
    credentials = grpc.ssl_server_credentials(
        [(collector.key.read_bytes(), collector.certificate.read_bytes())]
    )
    with receive(credentials) as receiver:
        assert send(receiver, {e.CERTIFICATE.name: str(collector.certificate)})
        assert len(receiver.spans()) == 1
        assert not send(receiver, {e.CERTIFICATE.name: str(other.certificate), e.TIMEOUT.name: "0.3"})
        assert len(receiver.spans()) == 1


def test_a_collector_that_asks_who_we_are_is_told(tmp_path: Path) -> None:
    collector, own = identity(tmp_path, "collector"), identity(tmp_path, "own")
    credentials = grpc.ssl_server_credentials(
        [(collector.key.read_bytes(), collector.certificate.read_bytes())],
        own.certificate.read_bytes(),
        require_client_auth=True,
    )
    trust = {e.CERTIFICATE.name: str(collector.certificate)}
    ours = {e.CLIENT_CERTIFICATE.name: str(own.certificate), e.CLIENT_KEY.name: str(own.key)}
    with receive(credentials) as receiver:
        assert send(receiver, {**trust, **ours})
        assert not send(receiver, {**trust, e.TIMEOUT.name: "0.3"})


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    own = identity(tmp_path, "own")
    with pytest.raises(EnvironmentValueError, match="belong together"):
        from_environ({e.CLIENT_CERTIFICATE.name: str(own.certificate)})
    own.key.write_text("not a key")
    with pytest.raises(EnvironmentValueError, match=f"{e.CLIENT_KEY.name} must be a PEM file"):
        from_environ({e.CLIENT_CERTIFICATE.name: str(own.certificate), e.CLIENT_KEY.name: str(own.key)})


def test_headers_are_in_no_repr() -> None:
    assert "hunter2" not in repr(from_environ({e.HEADERS.name: "authorization=hunter2"}))


def test_a_batch_may_not_be_larger_than_the_queue() -> None:
    with pytest.raises(EnvironmentValueError, match=f"{e.SPAN_BATCH.name} must be at most"):
        from_environ({e.SPAN_QUEUE.name: "100", e.SPAN_BATCH.name: "200"})
    assert from_environ({e.SPAN_QUEUE.name: "100"}).batch_size == 100


def test_batches_are_as_large_as_the_environment_says() -> None:
    with receive() as receiver:
        settings = from_environ(
            {e.ENDPOINT.name: receiver.endpoint, e.SPAN_BATCH.name: "10", e.SPAN_DELAY.name: "60000"}
        )
        telemetry = setup(settings, Options(periodic=False))
        for _ in range(25):
            with telemetry.span(spans.PUBLISH, {}):
                pass
        assert telemetry.shutdown(10)
    sizes = [
        sum(len(scope.spans) for part in request.resource_spans for scope in part.scope_spans)
        for request in receiver.traces
    ]
    assert sum(sizes) == 25
    assert max(sizes) <= 10
