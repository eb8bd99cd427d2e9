"""When certificates end: our own, and those that ports really present, whoever signed them.

A port that presents none is closed, which nobody else may say: not everything is scraped.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import create_connection
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from urllib.parse import urlsplit

from cryptography import x509

from loom.canary.settings import Address, Settings

_TIMEOUT = 5.0
"""Seconds for one port."""
_GRPC, _HTTP = "h2", "http/1.1"
"""What to say that one speaks. With the wrong one, or none, servers log an error for each look."""
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one certificate."""

    identity: str
    ends: float | None
    """As Unix time; None when there was none to be seen."""
    port: bool
    """Whether a port was to present it; else it is a file."""


def looks(settings: Settings) -> Iterator[Look]:
    """One look at every certificate."""
    for identity, file in _files(settings).items():
        yield Look(identity, _seen(partial(in_file, file)), port=False)
    for identity, address in ports(settings).items():
        yield Look(identity, _seen(partial(at_port, address, settings)), port=True)


def _seen(look: Callable[[], float]) -> float | None:
    try:
        return look()
    except (OSError, ValueError):  # no such file; nobody listens, or no TLS
        return None


def ports(settings: Settings) -> dict[str, Address]:
    """Identity → port, of every encrypted one it talks to and those that it is told to watch."""
    urls = {
        "collector": settings.telemetry.traces_endpoint,
        "collector-metrics": settings.telemetry.metrics_endpoint,
        "prometheus": settings.prometheus,
        "jaeger": settings.jaeger,
    }
    found = {name: _address(url) for name, url in urls.items() if urlsplit(url).scheme == "https"}
    if found.get("collector") == found.get("collector-metrics"):
        found.pop("collector-metrics", None)
    return {**found, **settings.watched}


def in_file(file: str) -> float:
    """Of the first certificate in a PEM file; OSError or ValueError when there is none."""
    return _end(x509.load_pem_x509_certificates(Path(file).read_bytes())[0])


def at_port(address: Address, settings: Settings) -> float:
    """Of the certificate that a port presents; OSError when it presents none."""
    # It is looked at, not trusted: one that has ended or that nobody vouches for is what must be seen.
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, CERT_NONE
    context.set_alpn_protocols([_protocol(address, settings)])
    if settings.folder:
        files = settings.folder.credentials
        context.load_cert_chain(files.certificate, files.key)
    with (
        create_connection((address.host, address.port), _TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=address.host) as channel,
    ):
        presented = channel.getpeercert(binary_form=True)
        with suppress(OSError):  # an orderly end, for the same reason; a refusal comes only here
            channel.unwrap()
    if presented is None:
        raise OSError
    return _end(x509.load_der_x509_certificate(presented))


def _files(settings: Settings) -> dict[str, str]:
    own = settings.folder.credentials.certificate if settings.folder else ""
    sending = settings.telemetry.traces.credentials.certificate
    return {
        name: file for name, file in (("own", own), ("sending", sending if sending != own else "")) if file
    }


def _protocol(address: Address, settings: Settings) -> str:
    sending = settings.telemetry
    ingress = {_address(url) for url in (sending.traces_endpoint, sending.metrics_endpoint)}
    return _GRPC if sending.protocol == "grpc" and address in ingress else _HTTP


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return Address(parts.hostname or "", parts.port or _PORTS[parts.scheme])


def _end(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()
