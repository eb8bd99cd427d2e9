"""The environment a program is run in so that it reports to us, and nothing else."""

from collections.abc import Mapping

from loom.contract import environment as loom

GRPC, HTTP = "grpc", "http/protobuf"

# OpenTelemetry's own variables: whoever reads them, in whatever language, is to report here.
_PREFIX = "OTEL_EXPORTER_OTLP_"
_PROTOCOL = f"{_PREFIX}PROTOCOL"
_EXPORTERS = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp"}
_SWITCH = "OTEL_SDK_DISABLED"
_SAMPLING = (loom.STANDARD_SAMPLER.name, loom.STANDARD_SAMPLER_ARG.name)
_PROXY = "NO_PROXY"
_EXPORT_MS = "1000"
"""A program that is ended by the deadline has sent its metrics by then."""


def aimed_at(endpoint: str, protocol: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """`inherited` with everything replaced that decides where telemetry goes, how, and how much of it.

    Endpoints, headers, certificates and temporality of single signals go; so do samplers: a trace that is not
    kept cannot be checked.
    """
    dropped = {_SWITCH, *_SAMPLING}
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in dropped and not name.startswith(_PREFIX)
    }
    ours = {
        loom.ENDPOINT.name: endpoint,
        _PROTOCOL: protocol,
        loom.SAMPLER.name: loom.SAMPLER.default,
        loom.EXPORT_INTERVAL.name: _EXPORT_MS,
        **_EXPORTERS,
    }
    # gRPC and most HTTP clients would send loopback through a proxy otherwise.
    unproxied = {name: _with_loopback(kept.get(name, "")) for name in (_PROXY, _PROXY.lower())}
    return kept | ours | unproxied


def _with_loopback(hosts: str) -> str:
    return ",".join(filter(None, (hosts, "127.0.0.1", "localhost")))
