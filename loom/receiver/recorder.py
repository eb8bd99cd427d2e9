"""The fake of the seam: a sink that keeps every request as it came; what tests and benchmarks look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loom.receiver.receiver import Addresses, receiving
from loom.receiver.signals import TAKEN, Refusal


class Requests:
    """Every request that arrived, in order: the sink itself."""

    def __init__(self) -> None:
        """None yet."""
        self.spans: list[ExportTraceServiceRequest] = []
        self.points: list[ExportMetricsServiceRequest] = []

    def traces(self, request: ExportTraceServiceRequest) -> Refusal:
        """See `Sink.traces`."""
        self.spans.append(request)
        return TAKEN

    def metrics(self, request: ExportMetricsServiceRequest) -> Refusal:
        """See `Sink.metrics`."""
        self.points.append(request)
        return TAKEN


class Recorder:
    """What was recorded, and where to send it."""

    def __init__(self, requests: Requests, endpoint: str, http_endpoint: str = "") -> None:
        """Read from `requests`, which grow while it listens."""
        self.endpoint = endpoint
        self.http_endpoint = http_endpoint
        self.traces = requests.spans
        self.metrics = requests.points

    def spans(self) -> list[Span]:
        """Every span."""
        return [
            span
            for request in list(self.traces)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def latest_metrics(self) -> dict[str, Metric]:
        """Name → the last that was received of each metric; of one process only."""
        return {
            metric.name: metric
            for request in list(self.metrics)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@contextmanager
def recording(addresses: Addresses | None = None) -> Iterator[Recorder]:
    """A recorder behind OTLP/gRPC on a free port, unless `addresses` say otherwise."""
    requests = Requests()
    with receiving(requests, addresses or Addresses(http=None)) as receiver:
        yield Recorder(requests, receiver.endpoint, receiver.http_endpoint)
