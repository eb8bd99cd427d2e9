"""Under a sampler below 100 % the share is expected, not all."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.contract import metrics as m
from loom.deploy.plan.model import Plan
from loom.deploy.verify.evidence import Evidence, Sample, SeenSpan
from loom.deploy.verify.expectation import Expectations, expect
from loom.deploy.verify.finding import Finding, Verdict
from loom.deploy.verify.judge import judge
from loom.deploy.verify.sampling import certain, plausible


@given(st.integers(0, 5000), st.floats(0.01, 0.99), st.integers(0, 2**32))
def test_an_honest_sampler_is_never_accused(of: int, ratio: float, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a simulation
    assert plausible(sum(draw.random() < ratio for _ in range(of)), of, ratio)


@pytest.mark.parametrize(("kept", "of"), [(300, 300), (0, 300), (75, 300), (0, 60_000), (6_500, 60_000)])
def test_another_share_than_a_tenth_is_found(kept: int, of: int) -> None:
    assert not plausible(kept, of, 0.1)


def test_absence_is_certain_to_mean_something_only_after_enough_draws() -> None:
    assert certain(1, 1.0)
    assert not certain(0, 1.0)
    assert not certain(9, 0.1)
    assert certain(132, 0.1)
    assert not certain(131, 0.1)
    assert not certain(10**9, 0.0)


def _evidence(expected: Expectations, healthy: Evidence, published: int, traces: int) -> Evidence:
    """So many events published, so many kept as a trace each."""
    [first] = [span for span in healthy.spans if span.operation == "publish"]
    spans = tuple(replace(first, trace_id=f"t{n}", span_id=f"s{n}") for n in range(traces))
    counter = expected.naming.series(m.event_bus.PUBLISHED).name
    exported = expected.naming.series(m.telemetry.SPANS_EXPORTED).name
    samples = dict(healthy.samples)
    samples[counter] = (Sample(samples[counter][0].labels, float(published)),)
    samples[exported] = (Sample(samples[exported][0].labels, float(traces)),)
    return replace(healthy, spans=spans, samples=samples)


def _bad(plan: Callable[..., Plan], healthy: Callable[..., Evidence], **counts: int) -> list[Finding]:
    expected = expect(plan(tracing={"sampler": "traceidratio=0.1"}))
    findings = judge(expected, _evidence(expected, healthy(expected), **counts))
    return [finding for finding in findings if not finding.good]


def test_a_tenth_of_the_events_is_as_expected_and_rare_spans_may_be_absent(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    assert _bad(plan, healthy, published=300, traces=29) == []


def test_all_of_the_events_are_too_many(plan: Callable[..., Plan], healthy: Callable[..., Evidence]) -> None:
    [finding] = _bad(plan, healthy, published=300, traces=300)
    assert finding.name == "share kept"
    assert "OTEL_TRACE_SAMPLER=traceidratio=0.1" in finding.hint


def test_none_of_many_events_is_too_few(plan: Callable[..., Plan], healthy: Callable[..., Evidence]) -> None:
    findings = {finding.name: finding.verdict for finding in _bad(plan, healthy, published=300, traces=0)}
    assert findings["loom.event_bus/publish"] is Verdict.MISSING
    assert findings["share kept"] is Verdict.WRONG


def test_none_of_few_events_is_no_fault(plan: Callable[..., Plan], healthy: Callable[..., Evidence]) -> None:
    assert _bad(plan, healthy, published=20, traces=0) == []


def test_events_of_one_trace_are_one_draw(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    expected = expect(plan(tracing={"sampler": "traceidratio=0.1"}))
    evidence = _evidence(expected, healthy(expected), published=1000, traces=200)
    spans: tuple[SeenSpan, ...] = tuple(replace(span, trace_id="t0") for span in evidence.spans)
    assert [f for f in judge(expected, replace(evidence, spans=spans)) if not f.good] == []


def test_a_span_under_always_off_is_wrong(
    plan: Callable[..., Plan], healthy: Callable[..., Evidence]
) -> None:
    off = expect(plan(tracing={"sampler": "always_off"}))
    evidence = healthy(expect(plan()))
    findings = [finding for finding in judge(off, evidence) if not finding.good]
    assert {finding.subject for finding in findings} == {"span"}
    assert all("always_off" in finding.hint for finding in findings)
