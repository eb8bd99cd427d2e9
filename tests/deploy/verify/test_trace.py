"""A trace as an operator reads it: nothing is left out, and what is broken is called so."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from loom.deploy.verify.prometheus import Window
from loom.deploy.verify.trace import Link, Trace, TraceSpan, parse, richest
from loom.deploy.verify.trace_source import fetch, recent
from loom.deploy.verify.trace_text import header, lines, shorten
from loom.deploy.verify.trace_tree import document, grow

ONE, TWO = "ad4ad1f6-b206", "ad4a99e3-5399"


def span(span_id: str, parent_id: str = "", start: int = 0, **fields: object) -> TraceSpan:
    given: dict[str, Any] = {
        "operation": f"op{span_id}",
        "service": "loom",
        "instance": ONE,
        "duration": 1500,
        **fields,
    }
    return TraceSpan(span_id=span_id, parent_id=parent_id, start=1_000_000 + start, **given)


def tree(*spans: TraceSpan) -> list[str]:
    """The first column below its heading."""
    text = [line.text for line in lines(grow(Trace("t", spans)))]
    end = text[0].index("SERVICE")
    return [line[:end].rstrip() for line in text[1:]]


def notes(*spans: TraceSpan) -> list[str]:
    """What follows the kind."""
    text = [line.text for line in lines(grow(Trace("t", spans)))]
    end = text[0].index("KIND") + len("KIND")
    return [line[end:].strip() for line in text[1:]]


def test_children_stand_below_their_parent_in_the_order_of_time_however_they_are_stored() -> None:
    spans = (span("4", "2", 40), span("3", "1", 30), span("1"), span("2", "1", 10), span("5", "3", 50))
    assert tree(*spans) == ["op1", "├─ op2", "│  └─ op4", "└─ op3", "   └─ op5"]
    assert tree(*reversed(spans)) == tree(*spans)


def test_a_parent_that_is_not_stored_has_its_place_and_all_its_children_below() -> None:
    spans = (span("1"), span("2", "gone", 10), span("3", "gone", 20), span("4", "2", 15))
    assert tree(*spans) == [
        "op1",
        "(parent gone not stored)",
        "├─ op2",
        "│  └─ op4",
        "└─ op3",
    ]
    found = grow(Trace("t", spans))
    assert found.missing == ("gone",)
    assert "1 parent not stored: not arrived yet, lost, or reported to somewhere else" in [
        line.text.strip() for line in header(found) if line.bad
    ]


@pytest.mark.parametrize(
    "spans",
    [
        (span("1", "1"),),
        (span("1", "2"), span("2", "1", 5), span("3", "2", 6)),
        (span("1"), span("2", "3"), span("3", "4"), span("4", "2"), span("5", "4")),
        (span("1"), span("1", start=7), span("2", "1", 8)),
        (span("1"), span("1", "1", 3), span("2", "1", 4)),
    ],
    ids=["its own parent", "each other's", "a circle beside a root", "one id twice", "twice, and a circle"],
)
def test_a_damaged_trace_shows_every_span_once(spans: tuple[TraceSpan, ...]) -> None:
    shown = [row.span for row in grow(Trace("t", spans)).rows if row.span]
    assert sorted(map(id, shown)) == sorted(map(id, spans))


def test_a_trace_deeper_than_pythons_stack_is_shown() -> None:
    spans = tuple(span(str(number), str(number - 1) if number else "", number) for number in range(3000))
    assert tree(*spans)[-1].endswith("└─ op2999")
    assert document(grow(Trace("t", spans)))["spans"][-1]["depth"] == 2999


def test_instances_are_shortened_as_far_as_they_can_be_told_apart() -> None:
    spans = (span("1"), span("2", "1", instance=TWO), span("3", "1", service="other", instance="x"))
    assert shorten(Trace("t", spans)) == {("loom", ONE): "ad4ad", ("loom", TWO): "ad4a9", ("other", "x"): "x"}
    assert shorten(Trace("t", (span("1", instance=""),))) == {("loom", ""): ""}
    text = [line.text for line in header(grow(Trace("t", spans)))]
    assert "  3 spans, 2 services, 3 instances, 1.500 ms in all, began 1970-01-01 00:00:01 UTC" in text
    assert f"  loom ad4a9 is {TWO}" in text


def test_a_line_says_where_when_how_long_and_what_kind() -> None:
    root = span("1", kind="producer")
    child = span("2", "1", 2500, instance=TWO, kind="consumer", duration=12)
    heading, first, second = (line.text for line in lines(grow(Trace("t", (root, child)))))
    assert heading.split() == ["SPAN", "SERVICE", "INSTANCE", "AT", "ms", "TOOK", "ms", "KIND"]
    assert first.split() == ["op1", "loom", "ad4ad", "0.000", "1.500", "producer"]
    assert second.split() == ["└─", "op2", "loom", "ad4a9", "2.500", "0.012", "consumer"]


def test_what_tells_something_is_shown_and_the_usual_and_ids_are_not() -> None:
    attributes = {"call_id": "c-1", "status": "ok", "capability": "llm.generate", "cache_hit": False}
    assert notes(span("1", attributes=attributes)) == ["capability=llm.generate  status=ok"]
    assert notes(span("1", attributes={"cache_hit": True})) == ["cache_hit=true"]
    # That nobody got an event is what one looks for.
    assert notes(span("1", attributes={"delivered": 0, "dropped": 0})) == ["delivered=0"]
    assert notes(span("1", attributes={"dropped": 3})) == ["dropped=3"]


def test_an_error_says_its_code_and_its_exception_once_and_is_marked() -> None:
    attributes = {"error_code": "TIMEOUT", "otel.status_description": "TIMEOUT", "error": True}
    failed = span("1", status="ERROR", attributes=attributes, exceptions=("TimeoutError: too late",))
    assert notes(failed) == ["ERROR TIMEOUT: TimeoutError: too late"]
    found = grow(Trace("t", (failed, span("2", "1"))))
    assert [line.bad for line in lines(found)] == [False, True, False]
    assert "  1 span ended with an error" in [line.text for line in header(found) if line.bad]
    assert notes(span("1", status="ERROR")) == ["ERROR"]


def test_what_a_span_brings_along_stays_on_its_line_and_steers_no_terminal() -> None:
    hostile = "\x1b[2J first\nsecond\t\u202ethird " + "x" * 500
    failed = span("1", status="ERROR", exceptions=(hostile,), operation="a\x1b[31m\nb")
    (line,) = lines(grow(Trace("t", (failed,))))[1:]
    assert line.text.isprintable()
    assert "[2J first second third xxx" in line.text
    assert len(line.text) < 200


def test_links_are_shown_with_what_they_lead_to() -> None:
    spans = (
        span("1"),
        span("2", "1", links=(Link("t", "1"), Link("other", "9"), Link("t", "8"))),
    )
    assert notes(*spans)[1].split("  ") == [
        "follows from op1 (1)",
        "follows from a span of trace other (9)",
        "follows from a span that is not stored (8)",
    ]


def test_the_richest_trace_is_the_one_of_most_processes_then_spans_then_the_latest() -> None:
    many = Trace("many", tuple(span(str(number)) for number in range(9)))
    two = Trace("two", (span("1"), span("2", instance=TWO)))
    later = Trace("later", (span("1", start=5), span("2", start=5, instance=TWO)))
    assert richest([two, later, many]) is later
    assert richest([many]) is many
    assert richest([]) is None


def test_the_document_for_machines_has_every_attribute_and_is_json() -> None:
    attributes = {"call_id": "c-1", "timeout": 0.5}
    spans = (span("1", attributes=attributes), span("2", "1", 2500, links=(Link("t", "1"),)))
    found = json.loads(json.dumps(document(grow(Trace("t", spans)))))
    assert (found["trace_id"], found["duration_ms"], found["services"]) == ("t", 4.0, ["loom"])
    first, second = found["spans"]
    assert (first["attributes"], first["depth"]) == (attributes, 0)
    assert (second["depth"], second["parent_id"], second["start_ms"]) == (1, "1", 2.5)
    assert second["links"] == [{"trace_id": "t", "span_id": "1"}]


def stored(trace_id: str = "t") -> dict[str, Any]:
    """A trace as Jaeger's API answers it."""
    exception = [
        {"key": "event", "type": "string", "value": "exception"},
        {"key": "exception.type", "type": "string", "value": "ToolError"},
        {"key": "exception.message", "type": "string", "value": "no report"},
    ]
    references = [
        {"refType": "FOLLOWS_FROM", "traceID": "other", "spanID": "9"},
        {"refType": "CHILD_OF", "traceID": trace_id, "spanID": "1"},
    ]
    tags = [
        {"key": "span.kind", "type": "string", "value": "server"},
        {"key": "otel.status_code", "type": "string", "value": "ERROR"},
        {"key": "delivered", "type": "int64", "value": 2},
    ]
    one = {
        "traceID": trace_id,
        "spanID": "2",
        "operationName": "publish",
        "references": references,
        "startTime": 5,
        "duration": 7,
        "tags": tags,
        "logs": [{"timestamp": 6, "fields": exception}],
        "processID": "p1",
        "warnings": ["clock skew"],
    }
    bare = {**one, "spanID": "1", "references": None, "tags": [], "logs": None, "warnings": None}
    process = {
        "serviceName": "loom",
        "tags": [{"key": "service.instance.id", "type": "string", "value": ONE}],
    }
    return {
        "traceID": trace_id,
        "spans": [one, {**bare, "processID": "p2"}],
        "processes": {"p1": process, "p2": {"serviceName": "bare"}},
    }


def test_a_stored_span_is_read_with_its_process_links_and_exceptions() -> None:
    trace = parse(stored())
    one, bare = trace.spans
    assert (one.parent_id, one.service, one.instance, one.kind) == ("1", "loom", ONE, "server")
    assert (one.links, one.exceptions) == ((Link("other", "9"),), ("ToolError: no report",))
    assert (one.attributes["delivered"], one.failed, one.warnings) == (2, True, ("clock skew",))
    assert (bare.parent_id, bare.instance, bare.failed, bare.warnings) == ("", "", False, ())
    assert trace.services == ("bare", "loom")


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> httpx2.Client:
    return httpx2.Client(base_url="http://store:1", transport=httpx2.MockTransport(answer))


def test_a_trace_is_fetched_by_its_id_and_one_that_is_not_there_is_no_error() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/api/traces/t":
            return httpx2.Response(200, json={"data": [stored()]})
        return httpx2.Response(404, json={"errors": []})

    with client(answer) as http:
        found = fetch(http, "t")
        assert found is not None
        assert len(found.spans) == 2
        assert fetch(http, "u") is None


def test_traces_that_several_services_share_are_found_once() -> None:
    asked: list[tuple[str, str, str, str]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        told = request.url.params
        asked.append((told["service"], told["start"], told["end"], told["limit"]))
        mine = [stored("shared"), stored(told["service"])]
        return httpx2.Response(200, json={"data": mine})

    with client(answer) as http:
        traces = recent(http, Window(1000.0, 1060.5, ("a", "b")), 7)
    assert [trace.trace_id for trace in traces] == ["shared", "a", "b"]
    assert asked == [("a", "1000000000", "1120500000", "7"), ("b", "1000000000", "1120500000", "7")]
