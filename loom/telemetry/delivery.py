"""How one signal is sent, besides where to: headers, deadline, compression, TLS."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from math import isfinite
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from loom.contract.environment import METRICS, OTLP, TOKEN_FILE, TRACES, Otlp, Variable
from loom.telemetry import credentials
from loom.telemetry.credentials import Credentials
from loom.telemetry.reader import Reader

Compression = Literal["none", "gzip", "deflate"]

LONGEST = 600.0
"""Seconds an export may take at most: longer ones are milliseconds by mistake."""

_KEY = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_VALUE = re.compile(r"[ -~]*")
_PEM = b"-----BEGIN "
_COMPRESSIONS: dict[str, Compression] = {"none": "none", "gzip": "gzip", "deflate": "deflate"}
_AUTHORIZATION = "authorization"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an exporter is told. Headers are in no `repr`: they carry keys."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Names in lower case, as gRPC wants them."""
    timeout: float = float(OTLP.timeout.default)
    """Seconds."""
    compression: Compression = "none"
    credentials: Credentials = field(default_factory=Credentials)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The headers, with the token as its file has it now; OSError or ValueError when it has none."""
        if not self.credentials.token:
            return self.headers
        return *self.headers, (_AUTHORIZATION, f"Bearer {credentials.read_token(self.credentials.token)}")


def read(reader: Reader, own: Otlp, endpoint: str) -> Delivery:
    """One signal's delivery: its own variables win over the general ones; problems go to the reader."""
    holding = _holding(reader, own)
    delivery = Delivery(
        headers=tuple(_headers(reader, holding.headers)),
        timeout=_timeout(reader, holding.timeout),
        compression=_compression(reader, holding.compression),
        credentials=_credentials(reader, holding),
    )
    if delivery.credentials.token:
        _check_token(reader, delivery, holding, endpoint)
    return delivery


def require_encryption(reader: Reader, endpoints: tuple[str, ...]) -> None:
    """Complain about certificates that nobody would look at, since nothing is encrypted."""
    if any(encrypted(endpoint) for endpoint in endpoints):
        return
    for group in (OTLP, TRACES, METRICS):
        for variable in (group.certificate, group.client_certificate):
            if reader.text(variable.name):
                hint = f"let {OTLP.endpoint.name} begin with https://"
                reader.complain(f"{variable.name} is set, but nothing would be encrypted", hint)


def _holding(reader: Reader, own: Otlp) -> Otlp:
    """Of each variable the signal's own one where it is set, else the general one."""
    pairs = zip(own.variables, OTLP.variables, strict=True)
    return Otlp(*(narrow if reader.text(narrow.name) else general for narrow, general in pairs))


def _headers(reader: Reader, variable: Variable) -> Iterator[tuple[str, str]]:
    """`key=value` pairs; what they hold is never repeated."""
    for pair in filter(None, (part.strip() for part in reader.text(variable.name).split(","))):
        key, equals, value = pair.partition("=")
        key, value = key.strip(), unquote(value).strip()
        if equals and _KEY.fullmatch(key) and _VALUE.fullmatch(value):
            yield key.lower(), value
        else:
            hint = "keys of letters, digits, `-`, `_` and `.`; values percent-encoded, printable ASCII"
            reader.complain(f"{variable.name} must be key=value pairs separated by commas", hint)


def _timeout(reader: Reader, variable: Variable) -> float:
    text = reader.text(variable.name, OTLP.timeout.default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if isfinite(seconds) and 0 < seconds <= LONGEST:
        return seconds
    reader.complain(f"{variable.name} must be seconds, more than 0 and at most {LONGEST:g}, but is {text!r}")
    return float(OTLP.timeout.default)


def _compression(reader: Reader, variable: Variable) -> Compression:
    text = reader.text(variable.name, OTLP.compression.default)
    if text.lower() not in _COMPRESSIONS:
        reader.complain(f"{variable.name} must be none, gzip or deflate, but is {text!r}")
    return _COMPRESSIONS.get(text.lower(), "none")


def _credentials(reader: Reader, holding: Otlp) -> Credentials:
    """Files that are there and that TLS accepts; a problem names the variable and the file."""
    authority, certificate, key = holding.certificate, holding.client_certificate, holding.client_key
    found = Credentials(
        authority=reader.text(authority.name),
        certificate=reader.text(certificate.name),
        key=reader.text(key.name),
        token=reader.text(TOKEN_FILE.name),
    )
    if _is_pem(reader, authority):
        _complain(reader, authority.name, credentials.authority_fault(found.authority))
    readable = [_is_pem(reader, certificate), _is_pem(reader, key)]
    if all(readable):
        both = f"{certificate.name} and {key.name}"
        _complain(reader, both, credentials.pair_fault(found.certificate, found.key))
    if bool(found.certificate) != bool(found.key):
        reader.complain(f"{certificate.name} and {key.name} belong together, but only one of them is set")
    return found


def _is_pem(reader: Reader, variable: Variable) -> bool:
    """Whether it names a PEM file; what is in it is never repeated."""
    text = reader.text(variable.name)
    if not text:
        return False
    try:
        if _PEM in Path(text).read_bytes():
            return True
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = error.strerror if isinstance(error, OSError) else "no path"
        reader.complain(f"{variable.name} must be a PEM file, but {text!r} cannot be read: {reason}")
    else:
        reader.complain(f"{variable.name} must be a PEM file, but {text!r} is none")
    return False


def _check_token(reader: Reader, delivery: Delivery, holding: Otlp, endpoint: str) -> None:
    """A token must be there, be the only way to authorise, and leave this machine encrypted only."""
    _complain(reader, TOKEN_FILE.name, credentials.token_fault(delivery.credentials.token))
    if _AUTHORIZATION in dict(delivery.headers):
        name = holding.headers.name
        reader.complain(f"{TOKEN_FILE.name} and {name} both say how to authorise: one of them must go")
    if not encrypted(endpoint) and not _is_loopback(endpoint):
        hint = f"let {holding.endpoint.name} begin with https://"
        reader.complain(f"{TOKEN_FILE.name} is set, but the token would travel in plain text", hint)


def _complain(reader: Reader, name: str, fault: str) -> None:
    if fault:
        reader.complain(f"{name}: {fault}")


def encrypted(endpoint: str) -> bool:
    """Only the scheme decides."""
    return endpoint.lower().startswith("https://")


def _is_loopback(endpoint: str) -> bool:
    try:
        host = urlsplit(endpoint).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name, or no URL at all
        return False
