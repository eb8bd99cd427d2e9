"""The receiver against the real exporters of OpenTelemetry, and against what no exporter would send."""

import gzip
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import pytest
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from loom.contract import resource
from loom.receiver import (
    MAX_BYTES,
    Addresses,
    Arrival,
    Decoder,
    MetricArrival,
    Receiver,
    Refusal,
    Shape,
    SpanArrival,
    receiving,
    recording,
)

PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Desk:
    """What was decoded, and the receiver that it came to."""

    arrivals: list[Arrival] = field(default_factory=list)
    refusal: Refusal = field(default_factory=Refusal)
    receiver: Receiver = field(init=False)

    def take(self, arrival: Arrival) -> Refusal:
        self.arrivals.append(arrival)
        return self.refusal

    def spans(self) -> list[SpanArrival]:
        return [each for each in self.arrivals if isinstance(each, SpanArrival)]

    def metrics(self) -> list[MetricArrival]:
        return [each for each in self.arrivals if isinstance(each, MetricArrival)]


class Answer(NamedTuple):
    """What a POST got."""

    status: int
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    with receiving(Decoder(desk.take)) as desk.receiver:
        yield desk


def post(desk: Desk, body: bytes, kind: str = JSON, encoding: str = "", path: str = "/v1/traces") -> Answer:
    headers = {"Content-Type": kind} | ({"Content-Encoding": encoding} if encoding else {})
    request = urllib.request.Request(desk.receiver.http_endpoint + path, body, headers)  # noqa: S310 - our own http
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - our own http
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read())


def request_of(*spans: dict[str, Any]) -> bytes:
    scope = {"scope": {"name": "mine"}, "spans": spans}
    return json.dumps({"resourceSpans": [{"scopeSpans": [scope]}], "unknownKey": 1}).encode()


GOOD = {
    "traceId": TRACE,
    "spanId": SPAN,
    "name": "a",
    "kind": 4,
    "startTimeUnixNano": "17",
    "status": {"code": 2},
}


def exporters(desk: Desk, transport: str, *, compressed: bool) -> tuple[SpanExporter, MetricExporter]:
    if transport == "grpc":
        how = grpc.Compression.Gzip if compressed else grpc.Compression.NoCompression
        endpoint = desk.receiver.endpoint
        return (
            grpc_traces.OTLPSpanExporter(endpoint=endpoint, insecure=True, compression=how),
            grpc_metrics.OTLPMetricExporter(endpoint=endpoint, insecure=True, compression=how),
        )
    packed = Compression.Gzip if compressed else Compression.NoCompression
    base = desk.receiver.http_endpoint
    return (
        http_traces.OTLPSpanExporter(endpoint=f"{base}/v1/traces", compression=packed),
        http_metrics.OTLPMetricExporter(endpoint=f"{base}/v1/metrics", compression=packed),
    )


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_what_the_sdk_exports_arrives_as_it_was_recorded(
    desk: Desk, transport: str, *, compressed: bool
) -> None:
    spans, metrics = exporters(desk, transport, compressed=compressed)
    described = Resource({resource.SERVICE_NAME.name: "mine", resource.SERVICE_INSTANCE_ID.name: "one"})
    tracing = TracerProvider(resource=described)
    tracing.add_span_processor(BatchSpanProcessor(spans))
    metering = MeterProvider([PeriodicExportingMetricReader(metrics)], described)
    tracer, meter = tracing.get_tracer("my.scope"), metering.get_meter("my.scope")
    with (
        tracer.start_as_current_span("outer"),
        tracer.start_as_current_span("inner", attributes={"n": [1, 2]}),
    ):
        meter.create_counter("c", "{x}").add(3, {"ok": True, "part": 0.5})
        meter.create_up_down_counter("u").add(-2)
        meter.create_histogram("h", "s", explicit_bucket_boundaries_advisory=[1.0, 2.0]).record(1.5)
        meter.create_gauge("g").set(7.5)
    tracing.shutdown()
    metering.shutdown()
    inner, outer = desk.spans()
    assert (inner.operation, inner.parent_id, inner.trace_id) == ("inner", outer.span_id, outer.trace_id)
    assert (outer.parent_id, outer.kind, outer.scope) == ("", "internal", "my.scope")
    assert outer.origin.identity == ("mine", "one")
    assert outer.start <= inner.start <= inner.end <= outer.end
    assert "1" in str(inner.attributes["n"])
    by_name = {each.name: each for each in desk.metrics()}
    counter, gauge, histogram = by_name["c"], by_name["g"], by_name["h"]
    assert (counter.shape, counter.unit, counter.monotonic, counter.temporality) == (
        Shape.SUM,
        "{x}",
        True,
        "cumulative",
    )
    assert counter.points[0].attributes == {"ok": True, "part": 0.5}
    assert (counter.points[0].value, by_name["u"].points[0].value, gauge.points[0].value) == (3, -2, 7.5)
    assert by_name["u"].monotonic is False
    assert (histogram.points[0].bounds, histogram.points[0].counts) == ((1.0, 2.0), (0, 1, 0))
    assert (histogram.points[0].value, histogram.points[0].total) == (1, 1.5)


def test_json_is_taken_with_ids_in_hex_and_unknown_keys(desk: Desk) -> None:
    answer = post(desk, request_of(GOOD))
    assert (answer.status, answer.json) == (200, {})
    span = desk.spans()[0]
    assert (span.trace_id, span.span_id, span.kind, span.status, span.start) == (
        TRACE,
        SPAN,
        "producer",
        "ERROR",
        17,
    )


def test_a_span_without_ids_is_refused_and_the_rest_of_its_request_taken(desk: Desk) -> None:
    zero = {**GOOD, "traceId": "0" * 32}
    answer = post(desk, request_of(GOOD, zero, {**GOOD, "spanId": ""}))
    assert answer.status == 200
    assert answer.json["partialSuccess"]["rejectedSpans"] == "2"
    assert "malformed or zero" in answer.json["partialSuccess"]["errorMessage"]
    assert len(desk.spans()) == 1


def test_what_the_sink_has_no_room_for_is_said(desk: Desk) -> None:
    desk.refusal = Refusal(3, "no room")
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]}
    answer = post(desk, json.dumps(body).encode(), path="/v1/metrics")
    assert answer.json == {"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "no room"}}


def test_a_point_that_says_its_series_has_ended_is_no_value(desk: Desk) -> None:
    gauge = {"dataPoints": [{"flags": 1}, {"asInt": "4"}]}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": gauge}]}]}]}
    post(desk, json.dumps(body).encode(), path="/v1/metrics")
    assert [point.value for point in desk.metrics()[0].points] == [4.0]


BOMB = gzip.compress(bytes(3 * MAX_BYTES))
REFUSED = {
    "malformed protobuf": (b"\xff\xff\xff", PROTOBUF, "", 400),
    "malformed JSON": (b"{", JSON, "", 400),
    "JSON that is no request": (b'{"resourceSpans": 5}', JSON, "", 400),
    "JSON that is a number": (b"1", JSON, "", 400),
    "JSON that is null": (b"null", JSON, "", 400),
    "JSON that is a text": (b'"x"', JSON, "", 400),
    "JSON that is a list": (b"[]", JSON, "", 400),
    "JSON nested without end": (b"[" * 100_000, JSON, "", 400),
    "an id that is no hex": (request_of({**GOOD, "spanId": "xyz"}), JSON, "", 400),
    "gzip that is none": (b"zz", JSON, "gzip", 400),
    "gzip that is cut off": (gzip.compress(request_of(GOOD))[:-9], JSON, "gzip", 400),
    "an unknown encoding": (b"", JSON, "br", 415),
    "another content type": (b"", "text/plain", "", 415),
    "a body beyond the limit": (bytes(MAX_BYTES + 1), PROTOBUF, "", 413),
    "a decompression bomb": (BOMB, PROTOBUF, "gzip", 413),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_cannot_be_taken_is_refused_with_its_reason(desk: Desk, case: str) -> None:
    body, kind, encoding, status = REFUSED[case]
    answer = post(desk, body, kind, encoding)
    assert answer.status == status
    assert answer.body
    if kind == JSON:
        assert answer.json["message"]
    assert desk.arrivals == []
    assert post(desk, request_of(GOOD)).status == 200


def test_only_the_two_signals_are_served(desk: Desk) -> None:
    assert post(desk, b"", path="/v1/logs").status == 404
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{desk.receiver.http_endpoint}/v1/traces")  # noqa: S310 - our own http
    with refused.value as error:
        assert error.code == 405


@pytest.mark.parametrize(
    ("body", "compression", "code"),
    [
        (b"\xff\xff", grpc.Compression.NoCompression, grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(MAX_BYTES + 1), grpc.Compression.NoCompression, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (bytes(3 * MAX_BYTES), grpc.Compression.Gzip, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_grpc_refuses_what_is_malformed_or_too_large(
    desk: Desk, body: bytes, compression: object, code: object
) -> None:
    with grpc.insecure_channel(desk.receiver.endpoint.removeprefix("http://")) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(EXPORT)(body, compression=compression, timeout=20)
        assert refused.value.code() is code
        assert channel.unary_unary(EXPORT)(b"", timeout=20) == b""


def test_many_clients_at_once_lose_nothing(desk: Desk) -> None:
    bodies = [request_of({**GOOD, "spanId": f"{number:016x}"}) for number in range(1, 101)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: post(desk, body), bodies))
    assert {answer.status for answer in answers} == {200}
    assert len({span.span_id for span in desk.spans()}) == 100


@pytest.mark.parametrize("which", ["grpc", "http"])
def test_a_port_that_is_taken_is_an_error_and_nothing_listens_then(desk: Desk, which: str) -> None:
    taken = desk.receiver.endpoint if which == "grpc" else desk.receiver.http_endpoint
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    ports = {"grpc": free, "http": free, which: int(taken.rpartition(":")[2])}
    with pytest.raises(OSError, match=r"in use|listen"):
        Receiver(Decoder(desk.take), Addresses(**ports))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", free))


def test_the_recorder_keeps_requests_as_they_came() -> None:
    with recording() as recorder:
        tracing = TracerProvider()
        exporter = grpc_traces.OTLPSpanExporter(endpoint=recorder.endpoint, insecure=True)
        tracing.add_span_processor(BatchSpanProcessor(exporter))
        tracing.get_tracer("my.scope").start_span("one").end()
        tracing.shutdown()
    assert [span.name for span in recorder.spans()] == ["one"]
    assert recorder.latest_metrics() == {}
