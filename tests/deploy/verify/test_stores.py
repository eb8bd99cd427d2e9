"""The clients of the stores, and the loop that asks them."""

import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

import httpx2
import pytest

from loom.contract import metrics as m
from loom.contract.naming import Naming
from loom.contract.series import Part
from loom.deploy.plan.model import Plan
from loom.deploy.verify import FakeMetrics, FakeTraces, Question, patience
from loom.deploy.verify.client import connect, get
from loom.deploy.verify.evidence import Evidence, Sample, SeenSpan, Target
from loom.deploy.verify.expectation import TRACES, expect
from loom.deploy.verify.jaeger import Jaeger
from loom.deploy.verify.prometheus import Prometheus, Window
from loom.deploy.verify.proof import gather, prove_with
from loom.errors import EngineError

PUBLISHED = Naming().series(m.event_bus.PUBLISHED)
WINDOW = Window(1000.0, 1060.5, ("loom-core", "a.b"))


def client(answer: Callable[[httpx2.Request], object]) -> httpx2.Client:
    def handle(request: httpx2.Request) -> httpx2.Response:
        found = answer(request)
        return found if isinstance(found, httpx2.Response) else httpx2.Response(200, json=found)

    return httpx2.Client(base_url="http://store:1", transport=httpx2.MockTransport(handle))


def asked(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}


def test_prometheus_is_asked_for_what_was_there_inside_the_window_of_these_services() -> None:
    seen: list[dict[str, str]] = []

    def answer(request: httpx2.Request) -> object:
        seen.append(asked(request))
        row = {"metric": {"__name__": "x", "job": "loom-core"}, "value": [1060.5, "300"]}
        return {"data": {"result": [row]}}

    with client(answer) as http:
        assert Prometheus(http).samples(PUBLISHED, WINDOW) == (Sample({"job": "loom-core"}, 300.0),)
    query = 'last_over_time(loom_event_bus_published_total{job=~"loom\\\\-core|a\\\\.b"}[60s])'
    assert seen == [{"query": query, "time": "1060.5"}]


def test_targets_carry_the_error_of_their_last_scrape() -> None:
    def answer(request: httpx2.Request) -> object:
        if request.url.path.endswith("/targets"):
            return {"data": {"activeTargets": [{"labels": {"job": "jaeger"}, "lastError": "refused"}]}}
        rows = [{"metric": {"job": "jaeger"}, "value": [0, "0"]}, {"metric": {"job": "p"}, "value": [0, "1"]}]
        return {"data": {"result": rows}}

    with client(answer) as http:
        assert Prometheus(http).targets() == (
            Target("jaeger", up=False, error="refused"),
            Target("p", up=True),
        )


def test_exemplars_are_their_trace_ids_once_each() -> None:
    found = [{"labels": {"trace_id": "a"}}, {"labels": {"trace_id": "a"}}, {"labels": {}}]
    with client(lambda _: {"data": [{"exemplars": found}, {"exemplars": []}]}) as http:
        series = Naming().series(m.event_bus.PUBLISH_LATENCY, Part.BUCKET)
        assert Prometheus(http).exemplars(series, WINDOW) == ("a",)


def test_jaegers_spans_are_read_with_parent_scope_and_status() -> None:
    tags = [
        {"key": "otel.scope.name", "value": "loom.event_bus"},
        {"key": "span.kind", "value": "producer"},
        {"key": "otel.status_code", "value": "OK"},
        {"key": "delivered", "value": 2},
    ]
    references = [{"refType": "FOLLOWS_FROM", "spanID": "0"}, {"refType": "CHILD_OF", "spanID": "1"}]
    span = {"traceID": "t", "spanID": "2", "operationName": "publish", "processID": "p1"}
    trace = {
        "processes": {"p1": {"serviceName": "loom"}},
        "spans": [{**span, "references": references, "tags": tags}],
    }
    seen: list[dict[str, str]] = []

    def answer(request: httpx2.Request) -> object:
        seen.append(asked(request))
        return {"data": [trace]}

    with client(answer) as http:
        [[found]] = Jaeger(http).traces("loom", WINDOW, 20, "publish")
    assert (found.parent_id, found.scope, found.kind, found.status) == (
        "1",
        "loom.event_bus",
        "producer",
        "OK",
    )
    assert found.attributes["delivered"] == 2
    assert seen[0]["start"] == "1000000000"
    assert seen[0]["operation"] == "publish"


def test_a_trace_that_is_not_there_is_no_error() -> None:
    with client(lambda _: httpx2.Response(404, json={"errors": []})) as http:
        assert not Jaeger(http).has("abc")
        assert Jaeger(http).traces("unknown", WINDOW, 1) == []


def test_a_store_that_answers_with_an_error_is_named() -> None:
    with (
        client(lambda _: httpx2.Response(400, text="parse error")) as http,
        pytest.raises(EngineError, match=r"http://store:1/api/v1/query answers 400: parse error"),
    ):
        get(http, "/api/v1/query", {})


def test_a_store_that_does_not_answer_is_named_and_no_proxy_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:2")
    with (
        connect("http://127.0.0.1:1") as http,
        pytest.raises(EngineError, match=r"http://127.0.0.1:1/x does not"),
    ):
        get(http, "/x", {})


def stores(evidence: Evidence) -> tuple[FakeMetrics, FakeTraces]:
    traces: dict[str, list[SeenSpan]] = {}
    for span in evidence.spans:
        traces.setdefault(span.trace_id, []).append(span)
    held = {
        n: tuple(replace(s, labels={**s.labels, "job": "loom"}) for s in f)
        for n, f in evidence.samples.items()
    }
    return FakeMetrics(held, evidence.targets, evidence.exemplars), FakeTraces(list(traces.values()))


def test_a_proof_is_given_at_the_first_look_when_all_is_there(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    chosen = plan()
    metrics, traces = stores(healthy(expect(chosen)))
    proof = prove_with(
        Question(chosen, time.time() - 5), metrics, traces, pause=lambda _: pytest.fail("it waited")
    )
    assert proof.bad == ()
    assert metrics.looks == 1


def test_what_comes_late_is_waited_for(plan: Callable[..., Plan], healthy: Callable[..., Evidence]) -> None:
    chosen = plan()
    metrics, traces = stores(healthy(expect(chosen)))
    late, metrics.held = metrics.held, {}

    def pause(_: float) -> None:
        if metrics.looks == 3:
            metrics.held = late

    assert prove_with(Question(chosen, time.time() - 5), metrics, traces, pause).bad == ()
    assert metrics.looks == 4


def test_absence_is_the_verdict_when_time_is_up(plan: Callable[..., Plan]) -> None:
    metrics, traces = FakeMetrics(), FakeTraces()
    proof = prove_with(Question(plan(), time.time(), timeout=0.0), metrics, traces)
    assert len(proof.bad) > 20
    assert metrics.looks == 1


def test_patience_covers_an_export_and_two_scrapes(plan: Callable[..., Plan]) -> None:
    assert patience(plan(metrics={"export_interval": "10s", "scrape_interval": "5s"})) >= 20.0


def test_only_the_services_asked_for_are_looked_at(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    expected = expect(plan())
    metrics, traces = stores(healthy(expected))
    evidence = gather(expected, Window(0.0, 10.0, ("somebody",)), metrics, traces)
    assert not any(evidence.samples.values())
    assert evidence.spans == ()
    evidence = gather(expected, Window(0.0, 10.0), metrics, traces)
    assert {span.service for span in evidence.spans} == {"loom"}


def test_what_needs_every_span_is_not_judged_when_some_are_older_than_the_window(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    expected = expect(plan())
    metrics, traces = stores(healthy(expected))
    assert gather(expected, Window(0.0, 10.0), metrics, traces).complete
    metrics.before = True
    assert not gather(expected, Window(0.0, 10.0), metrics, traces).complete


def test_a_span_that_is_rarer_than_what_is_fetched_is_looked_for_by_its_name(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    expected = replace(expect(plan()), traces=1)
    metrics, traces = stores(healthy(expected))
    evidence = gather(expected, Window(0.0, 10.0), metrics, traces)
    assert all(any(span.matches(seen.operation) for seen in evidence.spans) for span in expected.spans)
    assert not evidence.complete


def test_jaeger_is_never_asked_for_more_traces_than_it_keeps(plan: Callable[..., Plan]) -> None:
    assert expect(plan(tracing={"max_traces": 100})).traces == 100
    assert expect(plan(tracing={"max_traces": 1_000_000})).traces == TRACES
