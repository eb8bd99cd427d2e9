"""OTLP's messages as plain data."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]  # it ships no types
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from loom.contract import resource
from loom.receiver.arrival import (
    CUMULATIVE,
    DELTA,
    Arrival,
    Identity,
    MetricArrival,
    Origin,
    Point,
    Shape,
    SpanArrival,
    Value,
)
from loom.receiver.signals import TAKEN, Refusal

_LONGEST = 1024
"""Characters that are kept of a text: a prompt in an attribute must not fill the memory."""
_LINKS, _EXCEPTIONS = 32, 8
"""How many of a span are kept, for the same reason."""
_KINDS: Mapping[int, str] = {
    Span.SPAN_KIND_INTERNAL: "internal",
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}
_STATUS: Mapping[int, str] = {Status.STATUS_CODE_OK: "OK", Status.STATUS_CODE_ERROR: "ERROR"}
_TEMPORALITY: Mapping[int, str] = {
    AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE: CUMULATIVE,
    AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA: DELTA,
}
_SHAPES = {
    "sum": Shape.SUM,
    "gauge": Shape.GAUGE,
    "histogram": Shape.HISTOGRAM,
    "exponential_histogram": Shape.EXPONENTIAL,
    "summary": Shape.SUMMARY,
}


class Decoder:
    """A sink that hands everything on as plain data, one by one."""

    def __init__(self, take: Callable[[Arrival], Refusal]) -> None:
        """`take` is called from several threads."""
        self._take = take

    def traces(self, request: ExportTraceServiceRequest) -> Refusal:
        """See `Sink.traces`."""
        refusals = []
        for part in request.resource_spans:
            origin = _origin(part.resource)
            for scope in part.scope_spans:
                for span in scope.spans:
                    # Without ids a span belongs nowhere.
                    if _identified(span):
                        refusals.append(self._take(_span(origin, scope.scope.name, span)))
                    else:
                        refusals.append(Refusal(1, "a span's trace id or span id is malformed or zero"))
        return _together(refusals)

    def metrics(self, request: ExportMetricsServiceRequest) -> Refusal:
        """See `Sink.metrics`."""
        refusals = [
            self._take(_metric(_origin(part.resource), scope.scope.name, metric))
            for part in request.resource_metrics
            for scope in part.scope_metrics
            for metric in scope.metrics
        ]
        return _together(refusals)


def _together(refusals: Iterable[Refusal]) -> Refusal:
    some = [refusal for refusal in refusals if refusal.count]
    if not some:
        return TAKEN
    reasons = dict.fromkeys(refusal.reason for refusal in some)
    return Refusal(sum(refusal.count for refusal in some), "; ".join(reasons))


def _identified(span: Span) -> bool:
    ids = ((span.trace_id, 16), (span.span_id, 8))
    return all(len(each) == size and any(each) for each, size in ids) and len(span.parent_span_id) in {0, 8}


def _origin(described: Resource) -> Origin:
    attributes = _attributes(described.attributes)
    names = (resource.SERVICE_NAME.name, resource.SERVICE_INSTANCE_ID.name)
    return Origin(attributes, Identity(*(str(attributes.get(name, "")) for name in names)))


def _span(origin: Origin, scope: str, span: Span) -> SpanArrival:
    return SpanArrival(
        origin=origin,
        scope=scope,
        operation=span.name[:_LONGEST],
        kind=_KINDS.get(span.kind, ""),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() if any(span.parent_span_id) else "",
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        status=_STATUS.get(span.status.code, ""),
        attributes=_attributes(span.attributes),
        message=span.status.message[:_LONGEST],
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links[:_LINKS]),
        exceptions=tuple(islice(_exceptions(span), _EXCEPTIONS)),
    )


def _exceptions(span: Span) -> Iterator[str]:
    for event in span.events:
        if event.name == "exception":
            told = _attributes(event.attributes)
            parts = (told.get("exception.type"), told.get("exception.message"))
            yield ": ".join(str(part) for part in parts if part)


def _metric(origin: Origin, scope: str, metric: Metric) -> MetricArrival:
    shape = _SHAPES.get(metric.WhichOneof("data") or "", Shape.NOTHING)
    temporality = {
        Shape.SUM: metric.sum.aggregation_temporality,
        Shape.HISTOGRAM: metric.histogram.aggregation_temporality,
    }.get(shape, 0)
    return MetricArrival(
        origin=origin,
        scope=scope,
        name=metric.name[:_LONGEST],
        unit=metric.unit[:_LONGEST],
        shape=shape,
        points=tuple(_points(metric, shape)),
        monotonic=metric.sum.is_monotonic,
        temporality=_TEMPORALITY.get(temporality, ""),
    )


def _points(metric: Metric, shape: Shape) -> Iterator[Point]:
    numbers: Iterable[NumberDataPoint] = ()
    if shape is Shape.SUM:
        numbers = metric.sum.data_points
    elif shape is Shape.GAUGE:
        numbers = metric.gauge.data_points
    for number in numbers:
        if _recorded(number):
            value = number.as_int if number.WhichOneof("value") == "as_int" else number.as_double
            times = (number.start_time_unix_nano, number.time_unix_nano)
            yield Point(_attributes(number.attributes), float(value), *times)
    for each in metric.histogram.data_points:
        if _recorded(each):
            yield _distribution(each)


def _recorded(point: NumberDataPoint | HistogramDataPoint) -> bool:
    """A point can say that its series has ended: it has no value then."""
    return not point.flags & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


def _distribution(point: HistogramDataPoint) -> Point:
    return Point(
        attributes=_attributes(point.attributes),
        value=float(point.count),
        start=point.start_time_unix_nano,
        time=point.time_unix_nano,
        total=point.sum,
        bounds=tuple(point.explicit_bounds),
        counts=tuple(point.bucket_counts),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {pair.key[:_LONGEST]: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    match value.WhichOneof("value"):
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bytes_value":
            return value.bytes_value.hex()[:_LONGEST]
        case "array_value" | "kvlist_value":
            return json.dumps(MessageToDict(value))[:_LONGEST]
    return value.string_value[:_LONGEST]
