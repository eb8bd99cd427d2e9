"""What the environment of a Loom process says about its telemetry. Pure."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from loom.contract import environment as contract

GRPC, HTTP = "grpc", "http/protobuf"
"""OTLP's transports, as the environment spells them."""
PROTOCOL, DISABLED = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SDK_DISABLED"
"""OpenTelemetry's own variables that the runtime honours too."""
_SIGNALS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
_PARENT_BASED = "parentbased_"
_FIXED = {"always_on": 1.0, "always_off": 0.0}
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def value(environ: Mapping[str, str], name: str) -> str:
    """A variable without surrounding blanks; empty counts as unset, as OpenTelemetry says."""
    return environ.get(name, "").strip()


def given(environ: Mapping[str, str]) -> bool:
    """Whether the environment says anything about telemetry."""
    return any(value(environ, each.name) for each in contract.ALL) or bool(value(environ, DISABLED))


def destinations(environ: Mapping[str, str]) -> dict[str, str]:
    """Variable → endpoint, for each that is set: those of one signal win over the common one."""
    names = (*_SIGNALS, contract.ENDPOINT.name)
    found = {name: value(environ, name) for name in names if value(environ, name)}
    if all(name in found for name in _SIGNALS):
        found.pop(contract.ENDPOINT.name, None)
    return found


def protocol(environ: Mapping[str, str]) -> str:
    """OTLP's transport."""
    return value(environ, PROTOCOL) or GRPC


def malformed(url: str) -> str:
    """What is wrong with an endpoint; empty when nothing is."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        return str(error).lower()
    if fine:
        return ""
    return "it has no host" if parts.scheme in {"http", "https"} else "it does not begin with http://"


def sampler(environ: Mapping[str, str]) -> tuple[str, str]:
    """The variable that decides, and the sampler in the document's spelling; both empty when none does."""
    standard = value(environ, contract.STANDARD_SAMPLER.name).removeprefix(_PARENT_BASED)
    if not standard:
        documented = value(environ, contract.SAMPLER.name)
        return (contract.SAMPLER.name, documented) if documented else ("", "")
    if standard != "traceidratio":
        return contract.STANDARD_SAMPLER.name, standard
    ratio = value(environ, contract.STANDARD_SAMPLER_ARG.name) or "1"
    return contract.STANDARD_SAMPLER_ARG.name, f"{standard}={ratio}"


def ratio(text: str) -> float | None:
    """The share of traces that a sampler keeps, 0 to 1; None when it is malformed."""
    if text in _FIXED:
        return _FIXED[text]
    name, _, share = text.partition("=")
    if name != "traceidratio" or not _NUMBER.fullmatch(share) or not 0 <= float(share) <= 1:
        return None
    return float(share)
