"""Much at once, from many senders: more than memory allows, or more series than anybody planned for."""

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import repeat
from secrets import token_hex
from typing import Any

from loom.deploy.credentials.access import Access
from loom.deploy.drill.ground import Ground
from loom.deploy.plan.edges import LOOM
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.verify.client import connect

SENDERS = 8
_SPANS = 4000
"""In one request: with its attribute eight megabytes of JSON, and several times that once it is read."""
_ATTRIBUTE = "x" * 1800
_TIMEOUT = 20.0
_LONG = 300
"""Random bytes of a label's value: a log is written compressed, and would grow slowly."""
_RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "drill-flood"}}]}


@contextmanager
def flooding(ground: Ground) -> Iterator[None]:
    """Large requests, one after the other, until the end of the block."""
    body = json.dumps(_spans()).encode()
    with _sending(ground, "/v1/traces", [repeat(body)] * SENDERS, pause=0.0):
        yield


@contextmanager
def multiplying(ground: Ground, series: int) -> Iterator[None]:
    """So many series, each reported every second."""
    each = -(-series // SENDERS)
    parts = [range(number * each, (number + 1) * each) for number in range(SENDERS)]
    with _sending(ground, "/v1/metrics", [repeat(_points(map(str, part))) for part in parts], pause=1.0):
        yield


@contextmanager
def churning(ground: Ground, series: int) -> Iterator[None]:
    """So many series each second, with long values that are never the same again."""

    def bodies() -> Iterator[bytes]:
        while True:
            yield _points(token_hex(_LONG) for _ in range(series // SENDERS))

    with _sending(ground, "/v1/metrics", [bodies() for _ in range(SENDERS)], pause=1.0):
        yield


@contextmanager
def _sending(ground: Ground, path: str, bodies: Sequence[Iterator[bytes]], pause: float) -> Iterator[None]:
    over = threading.Event()
    with ThreadPoolExecutor(SENDERS) as senders:
        try:
            for each in bodies:
                senders.submit(_send, ground, path, each, (over, pause))
            yield
        finally:
            over.set()


def _send(ground: Ground, path: str, bodies: Iterator[bytes], until: tuple[threading.Event, float]) -> None:
    import httpx2  # noqa: PLC0415 - slow to import, as in the client

    over, pause = until
    protected = ground.plan.encrypted(Service.COLLECTOR, Purpose.OTLP_HTTP)
    access = Access(ground.deployment.home.secrets / LOOM if protected else None)
    with connect(ground.plan.reached(Service.COLLECTOR, Purpose.OTLP_HTTP), access) as client:
        while not over.is_set():
            # It may have too much to do to answer; that is what this is for.
            with suppress(httpx2.HTTPError):
                kind = {"Content-Type": "application/json"}
                client.post(path, content=next(bodies), headers=kind, timeout=_TIMEOUT)
            over.wait(pause)


def _spans() -> dict[str, Any]:
    """Spans of one trace, all the same but for their ids, in OTLP's JSON."""
    attribute = {"key": "flood", "value": {"stringValue": _ATTRIBUTE}}
    spans = [
        {
            "traceId": f"{1:032x}",
            "spanId": f"{number + 1:016x}",
            "name": "flood",
            "kind": 1,
            "startTimeUnixNano": "1",
            "endTimeUnixNano": "2",
            "attributes": [attribute],
        }
        for number in range(_SPANS)
    ]
    return {"resourceSpans": [{"resource": _RESOURCE, "scopeSpans": [{"spans": spans}]}]}


def _points(values: Iterable[str]) -> bytes:
    """One gauge, with each of the values of its label."""
    points = [
        {"attributes": [{"key": "value", "value": {"stringValue": value}}], "asDouble": 1} for value in values
    ]
    scope = {"metrics": [{"name": "drill.flood", "gauge": {"dataPoints": points}}]}
    return json.dumps({"resourceMetrics": [{"resource": _RESOURCE, "scopeMetrics": [scope]}]}).encode()
