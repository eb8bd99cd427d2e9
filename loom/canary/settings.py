"""What the environment says about the canary, parsed once, at the door."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from urllib.parse import urlsplit

from loom import telemetry
from loom.canary.folder import Folder
from loom.contract import canary, environment
from loom.contract.environment import Variable
from loom.contract.naming import Naming
from loom.contract.resource import TARGET_LABELS
from loom.contract.series import Series
from loom.errors import EnvironmentValueError, Problem
from loom.telemetry import Sampling
from loom.telemetry.reader import Reader


@dataclass(frozen=True, slots=True)
class Address:
    """A port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to send, where to look, how often, and where to tell."""

    telemetry: telemetry.Settings
    """The ingress, as any Loom process has it."""
    interval: float
    """Seconds from the beginning of a round to that of the next, unless it takes longer."""
    patience: float
    """Seconds after which what was not found is missing."""
    listen: Address
    prometheus: str
    jaeger: str
    """URLs of the query APIs."""
    series: Series
    """The metric that is sent, as Prometheus names it."""
    folder: Folder | None
    """None: plain HTTP, in and out."""
    watched: Mapping[str, Address]
    """Name → port whose certificate is looked at."""


def from_environ(environ: Mapping[str, str] | None = None) -> Settings:
    """Parse the environment, `os.environ` unless another is given.

    EnvironmentValueError carries one problem for each variable that is missing, malformed or names bad files.
    """
    given = os.environ if environ is None else environ
    reader = Reader(given)
    interval = _seconds(reader, canary.INTERVAL, canary.INTERVAL.default)
    settings = Settings(
        telemetry=_telemetry(reader, given),
        interval=interval,
        patience=_seconds(reader, canary.PATIENCE, f"{interval:g}"),
        listen=_address(reader, canary.LISTEN, reader.text(canary.LISTEN.name, canary.LISTEN.default)),
        prometheus=_url(reader, canary.PROMETHEUS),
        jaeger=_url(reader, canary.JAEGER),
        series=Series(reader.text(canary.SERIES.name, Naming().base(canary.SENT)), TARGET_LABELS),
        folder=_folder(reader),
        watched=_watched(reader),
    )
    if reader.problems:
        raise EnvironmentValueError(*reader.problems)
    return settings


def _telemetry(reader: Reader, environ: Mapping[str, str]) -> telemetry.Settings:
    """As every process reads it, but under its own name and with every round kept."""
    try:
        found = telemetry.from_environ(environ)
    except EnvironmentValueError as error:
        reader.problems += error.problems
        found = telemetry.Settings()
    if found.disabled:
        reader.complain(f"{environment.DISABLED.name} switches off what the canary is there to send")
    return replace(found, service_name=canary.SERVICE, sampling=Sampling(follow_parent=False))


def _seconds(reader: Reader, variable: Variable, default: str) -> float:
    text = reader.text(variable.name, default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if isfinite(seconds) and seconds >= 1:
        return seconds
    reader.complain(f"{variable.name} must be seconds, at least 1, but is {text!r}")
    return float(canary.INTERVAL.default)


def _url(reader: Reader, variable: Variable) -> str:
    text = reader.text(variable.name).rstrip("/")
    if "@" in text:  # not repeated: what stands in front of it is a secret
        reader.complain(f"{variable.name} must be a URL without a user and a password")
    elif not _is_url(text):
        reader.complain(f"{variable.name} must be a URL such as http://localhost:9090, but is {text!r}")
    return text


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _address(reader: Reader, variable: Variable, text: str) -> Address:
    host, _, port = text.rpartition(":")
    if host and port.isascii() and port.isdigit() and int(port) < 1 << 16:
        return Address(host.strip("[]"), int(port))
    reader.complain(f"{variable.name} must have HOST:PORT, but has {text!r}")
    return Address("", 0)


def _watched(reader: Reader) -> dict[str, Address]:
    found = {}
    for part in filter(None, (part.strip() for part in reader.text(canary.WATCH.name).split(","))):
        address, equals, name = part.rpartition("=")
        if not equals or not name:
            reader.problems.append(Problem(f"{canary.WATCH.name} must be HOST:PORT=NAME, but has {part!r}"))
        else:
            found[name] = _address(reader, canary.WATCH, address)
    return found


def _folder(reader: Reader) -> Folder | None:
    text = reader.text(canary.CREDENTIALS.name)
    if not text:
        return None
    folder = Folder(Path(text))
    for fault in folder.credentials.faults():
        reader.complain(f"{canary.CREDENTIALS.name}: {fault}")
    return folder
