"""More spans at once than a collector has memory for, until the input ends: what it said to each request.

Each line of the input is a sender more.
Whoever is told to wait waits, and sends the same again, as every OTLP sender does.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped] # grpcio ships no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loom.contract import environment

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS = 500
"""In one request."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
"""Seconds before the same is sent again."""
MOST = 256
"""Senders that can be at work; more would wait for their turn."""


def main() -> None:
    """Send, and print as JSON what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=4000, help="text in each span")
    told = parser.parse_args()
    over, said = threading.Event(), Counter[str]()
    with ThreadPoolExecutor(MOST) as pool:
        futures = [pool.submit(_send, number, told.bytes, over, said) for number, _ in enumerate(sys.stdin)]
        over.set()
    for future in futures:
        future.result()
    sys.stdout.write(json.dumps(said))


def _send(number: int, size: int, over: threading.Event, said: Counter[str]) -> None:
    with _channel() as channel:
        export = channel.unary_unary(EXPORT)
        body = _request(number, size).SerializeToString()
        while not over.is_set():
            wait = FIRST_WAIT
            while not _taken(export, body, said):
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
            said["acknowledged"] += SPANS


def _taken(export: Any, body: bytes, said: Counter[str]) -> bool:  # noqa: ANN401 - grpcio ships no types
    try:
        export(body, timeout=90)  # whoever gave up sooner would not know what was taken
    except grpc.RpcError as error:
        said[f"{error.code().name}: {error.details()[:90]}"] += SPANS
        return False
    return True


def _request(number: int, size: int) -> ExportTraceServiceRequest:
    """Spans of one trace, all the same but for their ids."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "fire-flood"
    spans, now = resource.scope_spans.add().spans, time.time_ns()
    for each in range(SPANS):
        span = spans.add(
            trace_id=(number + 1).to_bytes(16, "big"),
            span_id=(each + 1).to_bytes(8, "big"),
            name="flood",
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1,
        )
        span.attributes.add(key="flood").value.string_value = "x" * size
    return request


def _channel() -> Any:  # noqa: ANN401 - grpcio ships no types
    files = (environment.CERTIFICATE, environment.CLIENT_KEY, environment.CLIENT_CERTIFICATE)
    credentials = grpc.ssl_channel_credentials(*(Path(os.environ[one.name]).read_bytes() for one in files))
    target = urlsplit(os.environ[environment.ENDPOINT.name]).netloc
    # Else all senders of one process share one connection.
    return grpc.secure_channel(target, credentials, [("grpc.use_local_subchannel_pool", 1)])


if __name__ == "__main__":
    main()
