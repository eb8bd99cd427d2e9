"""The stores are asked until everything is found, or time is up."""

import time
from collections.abc import Callable

from loom.contract import metrics as m
from loom.contract.resource import JOB
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.verify.client import connect
from loom.deploy.verify.evidence import Evidence, SeenSpan
from loom.deploy.verify.expectation import Expectations, expect
from loom.deploy.verify.finding import Finding, Proof
from loom.deploy.verify.jaeger import Jaeger, TraceStore
from loom.deploy.verify.journey import locate, passages
from loom.deploy.verify.judge import judge
from loom.deploy.verify.prometheus import MetricStore, Prometheus, Window
from loom.deploy.verify.question import Question, wait

_FEW = 20
"""Traces that are fetched for a span that was not among those."""
_LONGEST = 3600.0
"""Seconds: telemetry from before is no proof that it arrives."""


def prove(question: Question) -> Proof:
    """Ask the live stores; EngineError when one does not answer."""
    plan = question.plan
    with (
        connect(plan.reached(Service.PROMETHEUS, Purpose.UI), question.access) as metrics,
        connect(plan.reached(plan.traces, Purpose.UI), question.access) as traces,
    ):
        return prove_with(question, Prometheus(metrics), Jaeger(traces))


def prove_with(
    question: Question,
    metrics: MetricStore,
    traces: TraceStore,
    pause: Callable[[float], None] = time.sleep,
) -> Proof:
    """The same with stores at hand: look, judge, and look again until all is found or time is up."""
    expected = expect(question.plan, question.components)

    def look() -> list[Finding]:
        evidence = gather(expected, _window(question), metrics, traces)
        return locate(judge(expected, evidence), expected.naming, evidence)

    return wait(question, look, pause)


def _window(question: Question) -> Window:
    now = time.time()
    return Window(max(question.since, now - _LONGEST), now, question.services)


def gather(expected: Expectations, window: Window, metrics: MetricStore, traces: TraceStore) -> Evidence:
    """One look at both stores."""
    samples = {series.name: metrics.samples(series, window) for series in expected.series()}
    services = window.services or tuple(sorted({s.labels.get(JOB, "") for x in samples.values() for s in x}))
    spans, complete = _spans(expected, window, tuple(filter(None, services)), traces)
    exported = expected.naming.series(m.telemetry.SPANS_EXPORTED)
    exemplars = {series.name: metrics.exemplars(series, window) for series in expected.buckets()}
    tried = [trace_id for ids in exemplars.values() for trace_id in ids[-_FEW:]]
    resolved = next((trace_id for trace_id in reversed(tried) if traces.has(trace_id)), "")
    return Evidence(
        samples,
        metrics.targets(),
        spans,
        complete and not metrics.existed(exported, window),
        exemplars,
        frozenset({resolved} - {""}),
        passages(metrics, window),
    )


def _spans(
    expected: Expectations, window: Window, services: tuple[str, ...], traces: TraceStore
) -> tuple[tuple[SeenSpan, ...], bool]:
    """Every span once, and whether these are all there are."""
    found: dict[tuple[str, str], SeenSpan] = {}
    complete = True
    for service in services:
        fetched = traces.traces(service, window, expected.traces)
        complete = complete and len(fetched) < expected.traces
        for operation in () if len(fetched) < expected.traces else traces.operations(service):
            if any(span.matches(operation) for span in expected.spans):
                fetched += traces.traces(service, window, _FEW, operation)
        found |= {(span.trace_id, span.span_id): span for trace in fetched for span in trace}
    return tuple(found.values()), complete
