"""The doctor's questions over the network: one seam, and the real thing behind it."""

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Protocol, TypedDict
from urllib.parse import urlsplit

from loom.deploy.credentials.access import PLAIN, Access
from loom.deploy.doctor.evidence import Answer, Certificate
from loom.deploy.doctor.export import TIMEOUT, export, trust
from loom.deploy.doctor.papers import Papers
from loom.errors import EngineError


class Network(Protocol):
    """What can be asked of other machines. Nothing raises: an error is part of the answer."""

    def get(self, url: str) -> Answer:
        """The answer to a GET; user and password may stand in the URL."""

    def export(self, url: str, protocol: str, papers: Papers) -> str:
        """Send an OTLP export request without a span; what went wrong, empty when it was taken."""

    def resolve(self, host: str) -> str:
        """Why a name has no address; empty when it has one."""

    def connect(self, host: str, port: int) -> str:
        """Why no TCP connection comes about; empty when it does."""

    def certificate(self, host: str, port: int) -> Certificate:
        """The certificate that a TLS server shows, trusted or not."""


@dataclass(frozen=True)
class Internet:
    """The real network; proxies of the environment play no part."""

    access: Access = PLAIN
    """What the deployment is shown, and nobody else."""
    guarded: Mapping[str, bool] = field(default_factory=dict)
    """The deployment's own addresses that speak TLS → whether they ask for a password."""

    def get(self, url: str) -> Answer:
        """See `Network.get`."""
        import httpx2  # noqa: PLC0415 - slow to import, and `--help` must not pay for it

        shown = _without_secret(url)
        before = time.time()
        try:
            with httpx2.Client(timeout=TIMEOUT, trust_env=False, **self._shown(url)) as client:
                response = client.get(url)
        except (httpx2.HTTPError, httpx2.InvalidURL, EngineError) as error:
            return Answer(shown, error=(str(error) or type(error).__name__).lower())
        ahead = _ahead(response.headers.get("date", ""), (before + time.time()) / 2)
        return Answer(shown, response.status_code, response.text, ahead=ahead)

    def export(self, url: str, protocol: str, papers: Papers) -> str:
        """See `Network.export`."""
        return export(url, protocol, papers)

    def resolve(self, host: str) -> str:
        """See `Network.resolve`."""
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError) as error:
            return str(getattr(error, "strerror", None) or error)
        return ""

    def connect(self, host: str, port: int) -> str:
        """See `Network.connect`."""
        try:
            with closing(socket.create_connection((host, port), TIMEOUT)):
                return ""
        except OSError as error:
            return (error.strerror or str(error)).lower()

    def certificate(self, host: str, port: int) -> Certificate:
        """See `Network.certificate`."""
        place = f"{host}:{port}"
        try:
            context = self._own if f"https://{place}" in self.guarded else ssl.create_default_context()
            # We look at its dates; whether it is trusted is another question, which httpx asks.
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with (
                closing(socket.create_connection((host, port), TIMEOUT)) as connection,
                context.wrap_socket(connection, server_hostname=host) as secured,
            ):
                encoded = secured.getpeercert(binary_form=True) or b""
        except (OSError, EngineError) as error:
            return Certificate(place, error=str(error))
        return read_certificate(place, ssl.DER_cert_to_PEM_cert(encoded))

    def _shown(self, url: str) -> "Shown":
        """Whom a client trusts there, and what it shows; EngineError when ours cannot be read."""
        parts = urlsplit(url)
        # Our names for this machine are one: whoever was started here is asked with what it knows.
        place = parts.netloc.rpartition("@")[2].replace("localhost", "127.0.0.1")
        origin = f"{parts.scheme}://{place}"
        if origin not in self.guarded:
            return {"verify": trust(), "headers": {}}
        return {"verify": self._context, "headers": self.access.headers() if self.guarded[origin] else {}}

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._own

    @property
    def _own(self) -> ssl.SSLContext:
        """One that trusts the deployment's authority and shows our certificate."""
        return self.access.context() or ssl.create_default_context()


class Shown(TypedDict):
    """Arguments of a client."""

    verify: ssl.SSLContext
    headers: dict[str, str]


def read_certificate(place: str, text: str) -> Certificate:
    """The certificate of a PEM text that ends first."""
    from cryptography import x509  # noqa: PLC0415 - slow to import, and only TLS needs it

    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        return Certificate(place, error=f"is no certificate: {error}")
    return Certificate(place, min(one.not_valid_after_utc.timestamp() for one in found))


def _ahead(date: str, ours: float) -> float:
    """Seconds; a Date has whole ones, so less than one is nothing."""
    try:
        difference = parsedate_to_datetime(date).timestamp() + 0.5 - ours
    except ValueError:
        return 0.0
    return difference if abs(difference) > 1 else 0.0


def _without_secret(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
