"""A trace from the embedded page: the same as from Jaeger, whatever a span brings along."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from loom.contract.resource import SERVICE_INSTANCE_ID
from loom.deploy.embedded.trace_ring import SPANS_EACH, TraceRing
from loom.deploy.verify import trace_page
from loom.deploy.verify.prometheus import Window
from loom.deploy.verify.trace import Trace, parse
from loom.deploy.verify.trace_text import header, lines
from loom.deploy.verify.trace_tree import document, grow
from loom.receiver.arrival import Identity, Origin, SpanArrival, Value

NOW = 1_795_962_716_984_032_000
"""Nanoseconds since 1970."""
ONE, TWO = f"{1:032x}", f"{2:032x}"
ATTRIBUTES: dict[str, Value] = {"cache_hit": True, "delivered": 2, "dropped": 0, "topic": "a.b"}
ALWAYS = Window(0.0, 4e9)


def arrival(number: int, parent: int = 0, **changed: Any) -> SpanArrival:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "origin": Origin({}, Identity("agents", "one")),
        "scope": "loom.router",
        "operation": f"op{number}",
        "kind": "internal",
        "trace_id": ONE,
        "span_id": f"{number:016x}",
        "parent_id": f"{parent:016x}" if parent else "",
        "start": NOW + number * 1_500_000,
        "end": NOW + number * 1_500_000 + 12_000,
        "status": "OK",
    }
    return SpanArrival(**{**fields, **changed})


def ring(*arrivals: SpanArrival) -> TraceRing:
    made = TraceRing()
    for each in arrivals:
        made.observe(each, faulty=False)
    return made


def told(made: TraceRing, trace_id: str = ONE) -> Any:  # noqa: ANN401 - JSON
    """As it comes over the wire."""
    return json.loads(json.dumps(made.waterfall(trace_id), allow_nan=False))


def text(trace: Trace) -> list[str]:
    tree = grow(trace)
    return [line.text for line in (*header(tree), *lines(tree))]


SPANS = (
    arrival(1, kind="producer", attributes=ATTRIBUTES),
    arrival(
        2, 1, origin=Origin({}, Identity("tools", "two")), links=((ONE, f"{1:016x}"), (TWO, f"{9:016x}"))
    ),
    arrival(
        3, 2, status="ERROR", message="too late", attributes={"error_code": "TIMEOUT"}, exceptions=("E: no",)
    ),
    arrival(4, 7),
)


def tag(name: str, value: Value) -> dict[str, Value]:
    return {"key": name, "value": value}


def as_jaeger(span: SpanArrival) -> dict[str, Any]:
    """The same span as Jaeger's API answers it."""
    links = [{"refType": "FOLLOWS_FROM", "traceID": trace, "spanID": other} for trace, other in span.links]
    parent = [{"refType": "CHILD_OF", "traceID": ONE, "spanID": span.parent_id}] if span.parent_id else []
    exceptions = [
        [
            tag("event", "exception"),
            tag("exception.type", "E"),
            tag("exception.message", one.removeprefix("E: ")),
        ]
        for one in span.exceptions
    ]
    tags = [tag(name, value) for name, value in span.attributes.items()]
    tags += [tag("otel.scope.name", span.scope), tag("span.kind", span.kind)]
    tags += [tag("otel.status_code", span.status)]
    tags += [tag("otel.status_description", span.message)] if span.message else []
    return {
        "spanID": span.span_id,
        "operationName": span.operation,
        "references": [*parent, *links],
        "startTime": span.start // 1000,
        "duration": (span.end - span.start) // 1000,
        "tags": tags,
        "logs": [{"fields": fields} for fields in exceptions],
        "processID": span.origin.identity.service,
        "warnings": None,
    }


def test_a_trace_reads_the_same_from_the_page_as_from_jaeger() -> None:
    processes = {
        service: {"serviceName": service, "tags": [tag(SERVICE_INSTANCE_ID.name, instance)]}
        for service, instance in {span.origin.identity for span in SPANS}
    }
    stored = parse({"traceID": ONE, "spans": [as_jaeger(span) for span in SPANS], "processes": processes})
    kept = trace_page.parse(told(ring(*reversed(SPANS))))
    assert text(kept) == text(stored)
    assert document(grow(kept)) == document(grow(stored))
    assert any("ERROR TIMEOUT: too late: E: no" in line for line in text(kept))


def test_what_json_has_no_exact_number_for_comes_as_text() -> None:
    odd: dict[str, Value] = {
        "a": float("nan"),
        "b": float("-inf"),
        "c": 2**63 - 1,
        "d": 2**53,
        "e": 0.5,
        "f": False,
    }
    (span,) = trace_page.parse(told(ring(arrival(1, attributes=odd)))).spans
    seen = {name: span.attributes[name] for name in odd}
    assert seen == {"a": "nan", "b": "-inf", "c": str(2**63 - 1), "d": 2**53, "e": 0.5, "f": False}


def test_spans_that_were_not_kept_are_told_of() -> None:
    many = ring(*(arrival(number, min(number - 1, 1)) for number in range(1, SPANS_EACH + 3)))
    trace = trace_page.parse(told(many))
    assert (len(trace.spans), trace.more) == (SPANS_EACH, 2)
    assert "  2 spans more arrived and were not kept" in text(trace)
    assert document(grow(trace))["not_kept"] == 2


def summary(trace_id: str, **changed: object) -> dict[str, Any]:
    fields = {"processes": 1, "spans": 1, "more": 0, "start": 100.0, "services": ["agents"]}
    return {"trace_id": trace_id, **fields, **changed}


def test_the_richest_is_the_one_of_most_processes_then_spans_then_the_latest() -> None:
    summaries = [
        summary("small"),
        summary("later", start=101.0),
        summary("large", spans=9),
        summary("cut", spans=8, more=5),
        summary("far", processes=2, services=["agents", "tools"]),
        summary("old", processes=3, start=1.0),
    ]
    window = Window(50.0, 200.0)
    assert trace_page.ranked(summaries, window) == ["far", "cut", "large", "later", "small"]
    assert trace_page.ranked(summaries, replace(window, services=("tools", "x"))) == ["far"]
    assert trace_page.ranked([], window) == []


@contextmanager
def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url="http://page:1", transport=httpx2.MockTransport(answer)) as http:
        yield http


@pytest.fixture
def kept() -> TraceRing:
    """Two traces, the richer one first."""
    return ring(arrival(1), arrival(2, 1), arrival(5, trace_id=TWO))


def test_a_trace_is_found_by_its_id_with_or_without_leading_zeros(kept: TraceRing) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        found = kept.waterfall(request.url.path.rpartition("/")[2])
        return httpx2.Response(200, json=found) if found else httpx2.Response(404, json={})

    with client(answer) as http:
        for trace_id in (ONE, "1"):
            found = trace_page.fetch(http, trace_id)
            assert found is not None
            assert (found.trace_id, len(found.spans)) == (ONE, 2)
        assert trace_page.fetch(http, "3") is None


def test_a_trace_that_is_gone_by_the_time_it_is_asked_for_is_passed_over(kept: TraceRing) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        trace_id = request.url.path.rpartition("/")[2]
        if trace_id == "traces":
            return httpx2.Response(200, json=kept.summaries())
        return (
            httpx2.Response(404, json={})
            if trace_id == ONE
            else httpx2.Response(200, json=kept.waterfall(trace_id))
        )

    with client(answer) as http:
        found = trace_page.richest(http, ALWAYS)
        assert found is not None
        assert found.trace_id == TWO
        assert trace_page.richest(http, replace(ALWAYS, services=("nobody",))) is None
