"""The OTLP exporters, imported only when they are made: gRPC alone costs as much as all the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from loom.telemetry.delivery import Delivery, encrypted
from loom.telemetry.renewal import RenewedMetrics, RenewedSpans
from loom.telemetry.settings import Settings

if TYPE_CHECKING:
    from grpc import ChannelCredentials  # type: ignore[import-untyped]  # grpcio ships no types

MAX_POINTS = 10_000
"""Data points in one request: below the 4 MiB that a gRPC server takes by default."""


class Exporters(NamedTuple):
    """Where spans and metrics go."""

    spans: SpanExporter
    metrics: MetricExporter


def connect(settings: Settings) -> Exporters:
    """Exporters for the settings' endpoints; nothing is sent yet, and nobody needs to listen.

    They are made anew whenever one of their certificates, keys and tokens has changed.
    """
    make_spans, make_metrics = _grpc(settings) if settings.protocol == "grpc" else _http(settings)
    return Exporters(
        RenewedSpans(make_spans, settings.traces.credentials),
        RenewedMetrics(make_metrics, settings.metrics.credentials),
    )


def _grpc(settings: Settings) -> "_Makers":
    from grpc import Compression  # noqa: PLC0415 - slow to import
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415 - slow to import
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 - slow to import
        OTLPSpanExporter,
    )

    kinds = {"none": Compression.NoCompression, "gzip": Compression.Gzip, "deflate": Compression.Deflate}

    def told(endpoint: str, delivery: Delivery) -> dict[str, Any]:
        return {
            "endpoint": endpoint,
            "insecure": not encrypted(endpoint),
            "credentials": _credentials(endpoint, delivery),
            "headers": delivery.metadata(),
            "timeout": delivery.timeout,
            "compression": kinds[delivery.compression],
        }

    return _makers(settings, told, OTLPSpanExporter, OTLPMetricExporter)


def _credentials(endpoint: str, delivery: Delivery) -> "ChannelCredentials | None":
    """Made here, since the exporters look at our own certificate only where an authority is named too."""
    if not encrypted(endpoint):
        return None
    from grpc import ssl_channel_credentials  # noqa: PLC0415 - slow to import

    files = delivery.credentials
    return ssl_channel_credentials(
        _content(files.authority), _content(files.key), _content(files.certificate)
    )


def _content(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None


def _http(settings: Settings) -> "_Makers":
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415 - slow to import
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - slow to import
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - slow to import
        OTLPSpanExporter,
    )

    from loom.telemetry.session import session  # noqa: PLC0415 - slow to import

    def told(endpoint: str, delivery: Delivery) -> dict[str, Any]:
        return {
            "endpoint": endpoint,
            "certificate_file": delivery.credentials.authority or None,
            "client_key_file": delivery.credentials.key or None,
            "client_certificate_file": delivery.credentials.certificate or None,
            "headers": dict(delivery.metadata()),
            "timeout": delivery.timeout,
            "compression": Compression(delivery.compression),
            "session": session(),
        }

    return _makers(settings, told, OTLPSpanExporter, OTLPMetricExporter)


class _Makers(NamedTuple):
    """Each makes an exporter from what the files hold at that moment."""

    spans: Callable[[], SpanExporter]
    metrics: Callable[[], MetricExporter]


def _makers(
    settings: Settings,
    told: Callable[[str, Delivery], dict[str, Any]],
    spans: Callable[..., SpanExporter],
    metrics: Callable[..., MetricExporter],
) -> _Makers:
    return _Makers(
        lambda: spans(**told(settings.traces_endpoint, settings.traces)),
        lambda: metrics(
            **told(settings.metrics_endpoint, settings.metrics), max_export_batch_size=MAX_POINTS
        ),
    )
