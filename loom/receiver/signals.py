"""OTLP's two signals as both transports see them: a message in, what became of it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.message import Message  # type: ignore[import-untyped]  # it ships no types
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb

MAX_BYTES = 16 * 1024 * 1024
"""Largest request that is read, after decompression: exporters keep to a quarter of it by default."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What of a well-formed request was not taken: OTLP's partial success. None of it by default."""

    count: int = 0
    """Spans or data points."""
    reason: str = ""


TAKEN = Refusal()


class Sink(Protocol):
    """The seam: where requests go. Called from several threads."""

    def traces(self, request: trace_pb.ExportTraceServiceRequest) -> Refusal:
        """Take spans."""

    def metrics(self, request: metrics_pb.ExportMetricsServiceRequest) -> Refusal:
        """Take metrics."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: how its requests are called and answered."""

    path: str
    """Of OTLP/HTTP: `/v1/traces`."""
    service: str
    """Of OTLP/gRPC, with its package."""
    request: Callable[[], Message]
    take: Callable[[Any], Refusal]
    response: Callable[[Refusal], Message]

    def answer(self, request: Message) -> Message:
        """Hand a request on; the answer names what was refused."""
        return self.response(self.take(request))


def serialized(message: Message) -> bytes:
    """A message in protobuf's own form."""
    return bytes(message.SerializeToString())


def signals(sink: Sink) -> tuple[Signal, Signal]:
    """Traces and metrics, handed to `sink`."""
    return (
        Signal(
            "/v1/traces",
            trace_pb.DESCRIPTOR.services_by_name["TraceService"].full_name,
            trace_pb.ExportTraceServiceRequest,
            sink.traces,
            _traces_answer,
        ),
        Signal(
            "/v1/metrics",
            metrics_pb.DESCRIPTOR.services_by_name["MetricsService"].full_name,
            metrics_pb.ExportMetricsServiceRequest,
            sink.metrics,
            _metrics_answer,
        ),
    )


def _traces_answer(refusal: Refusal) -> Message:
    answer = trace_pb.ExportTraceServiceResponse()
    if refusal.count:
        answer.partial_success.rejected_spans = refusal.count
        answer.partial_success.error_message = refusal.reason
    return answer


def _metrics_answer(refusal: Refusal) -> Message:
    answer = metrics_pb.ExportMetricsServiceResponse()
    if refusal.count:
        answer.partial_success.rejected_data_points = refusal.count
        answer.partial_success.error_message = refusal.reason
    return answer
