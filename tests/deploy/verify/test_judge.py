"""What is missing or wrong is found, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loom.contract import metrics as m
from loom.contract import scopes
from loom.contract.metric import Kind
from loom.contract.resource import ENVIRONMENT_LABEL
from loom.deploy.plan.model import Plan
from loom.deploy.verify.evidence import Evidence, Sample, Target
from loom.deploy.verify.expectation import Expectations, expect
from loom.deploy.verify.finding import Finding, Verdict
from loom.deploy.verify.judge import judge

Healthy = Callable[[Expectations], Evidence]
Plans = Callable[..., Plan]


def bad(expected: Expectations, evidence: Evidence) -> list[Finding]:
    return [finding for finding in judge(expected, evidence) if not finding.good]


@pytest.mark.parametrize("scope", [(scopes.EVENT_BUS, scopes.ACTION_BROKER), scopes.ALL])
@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"metrics": {"namespace": "loom"}},
        {"metrics": {"naming": "prometheus"}},
        {"metrics": {"delivery": "otlp"}},
        {"tracing": {"sampler": "always_off"}},
        {"environment": "staging"},
    ],
)
def test_a_healthy_deployment_has_nothing_to_complain_of(
    plan: Plans, healthy: Healthy, sections: dict[str, object], scope: tuple[str, ...]
) -> None:
    expected = expect(plan(**sections), scope)
    assert bad(expected, healthy(expected)) == []


def test_each_metric_that_is_taken_away_is_missed_by_its_name(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    for metric in everything.metrics:
        for series in everything.naming.all_series(metric):
            samples = {name: found for name, found in evidence.samples.items() if name != series.name}
            [finding] = [
                f for f in bad(everything, replace(evidence, samples=samples)) if f.subject == "metric"
            ]
            assert finding.name == everything.naming.base(metric)
            assert finding.verdict is Verdict.MISSING
            assert (series.name in finding.detail) == (metric.kind is Kind.HISTOGRAM)


def test_each_label_that_is_taken_away_is_missed_by_its_name(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    conditional = {
        (series.name, attribute.label)
        for metric in everything.metrics
        for series in everything.naming.all_series(metric)
        for attribute in metric.conditional
    }
    assert conditional
    for series in everything.series():
        for label in series.labels:
            if series.name not in evidence.samples:
                continue
            [sample] = evidence.samples[series.name]
            fewer = {name: value for name, value in sample.labels.items() if name != label}
            samples = {**evidence.samples, series.name: (sample, Sample(fewer, 0.0))}
            findings = bad(everything, replace(evidence, samples=samples))
            if (series.name, label) in conditional:
                assert findings == []
            else:
                [finding] = findings
                assert finding.verdict is Verdict.WRONG
                assert f"no label {label}" in finding.detail


def test_a_value_outside_a_closed_set_is_wrong_and_the_overflow_value_is_not(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    name = everything.naming.series(m.event_bus.PUBLISHED).name
    [sample] = evidence.samples[name]
    for value, wrong in (("Realtime", True), ("other", False), ("batched", False)):
        samples = {**evidence.samples, name: (Sample({**sample.labels, "qos": value}, 1.0),)}
        assert bool(bad(everything, replace(evidence, samples=samples))) == wrong


def test_telemetry_of_another_environment_is_told_with_the_variable_to_set(
    plan: Plans, healthy: Healthy
) -> None:
    expected = expect(plan(environment="staging"))
    evidence = healthy(expect(plan()))
    findings = bad(expected, evidence)
    assert findings
    assert all(f"{ENVIRONMENT_LABEL} is 'development'" in finding.detail for finding in findings)
    assert all("DEPLOYMENT_ENV" in finding.hint for finding in findings)


def test_each_span_that_is_taken_away_is_missed_by_its_name(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    for gone in evidence.spans:
        fewer = tuple(span for span in evidence.spans if span != gone)
        findings = bad(everything, replace(evidence, spans=fewer))
        missing = [finding for finding in findings if finding.verdict is Verdict.MISSING]
        assert [finding.name for finding in missing] == [f"{gone.scope}/{gone.operation.removesuffix(' x')}"]


def test_each_attribute_of_each_span_is_missed_by_its_name(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    for span in evidence.spans:
        for name in span.attributes:
            fewer = {key: value for key, value in span.attributes.items() if key != name}
            spans = (*(s for s in evidence.spans if s != span), replace(span, attributes=fewer))
            [finding] = bad(everything, replace(evidence, spans=spans))
            assert f"no attribute {name}" in finding.detail


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "internal"}, "its kind is internal, not producer"),
        ({"status": ""}, "its status was never set"),
        ({"status": "ERROR"}, "ERROR without error.type"),
    ],
)
def test_a_span_that_breaks_the_contract_is_wrong(
    everything: Expectations, healthy: Healthy, change: dict[str, Any], complaint: str
) -> None:
    evidence = healthy(everything)
    spans = tuple(replace(span, **change) if span.operation == "publish" else span for span in evidence.spans)
    [finding] = bad(everything, replace(evidence, spans=spans))
    assert finding.name == "loom.event_bus/publish"
    assert complaint in finding.detail


def test_an_attribute_of_another_type_is_wrong(everything: Expectations, healthy: Healthy) -> None:
    evidence = healthy(everything)
    for value in ("3", 3.5, True):
        spans = tuple(
            replace(span, attributes={**span.attributes, "delivered": value})
            if span.operation == "publish"
            else span
            for span in evidence.spans
        )
        [finding] = bad(everything, replace(evidence, spans=spans))
        assert "is not of type int" in finding.detail


def test_a_run_that_is_not_below_its_publish_is_wrong(everything: Expectations, healthy: Healthy) -> None:
    evidence = healthy(everything)
    for parent, complaint in (("", "it is a root"), ("unknown", "it is without its parent")):
        spans = tuple(
            replace(span, parent_id=parent) if (span.scope, span.operation) == ("loom.agent", "run") else span
            for span in evidence.spans
        )
        findings = bad(everything, replace(evidence, spans=spans))
        assert findings[0].name == "loom.agent/run"
        assert complaint in findings[0].detail


def test_a_target_that_is_down_or_absent_is_told_with_its_error(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    first, *others = evidence.targets
    down = Target(first.job, up=False, error="connection refused")
    [finding] = bad(everything, replace(evidence, targets=(down, *others)))
    assert (finding.name, finding.detail) == (first.job, "connection refused")
    [finding] = bad(everything, replace(evidence, targets=tuple(others)))
    assert (finding.name, finding.verdict) == (first.job, Verdict.MISSING)


def test_delivery_by_otlp_has_no_exporter_to_scrape(plan: Plans) -> None:
    scraped = set(expect(plan()).targets)
    pushed = set(expect(plan(metrics={"delivery": "otlp"})).targets)
    assert scraped - pushed == {"otel-collector-exporter"}


def test_an_exemplar_must_lead_to_a_trace(everything: Expectations, healthy: Healthy) -> None:
    evidence = healthy(everything)
    [finding] = bad(everything, replace(evidence, exemplars={}, resolved=frozenset()))
    assert (finding.subject, finding.verdict) == ("exemplar", Verdict.MISSING)
    [finding] = bad(everything, replace(evidence, resolved=frozenset()))
    assert (finding.subject, finding.verdict) == ("exemplar", Verdict.WRONG)


def test_spans_that_were_lost_are_wrong_however_many_arrived(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    name = everything.naming.series(m.telemetry.SPANS_LOST).name
    for value, wrong in ((3.0, True), (0.0, False)):
        lost = {name: (Sample({"reason": "queue_full"}, value),)}
        findings = bad(everything, replace(evidence, samples={**evidence.samples, **lost}))
        assert [finding.detail for finding in findings] == (["3 (queue_full)"] if wrong else [])


def test_spans_that_the_collector_took_and_jaeger_has_not_are_wrong(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = healthy(everything)
    name = everything.naming.series(m.telemetry.SPANS_EXPORTED).name
    [sample] = evidence.samples[name]
    samples = {**evidence.samples, name: (Sample(sample.labels, sample.value + 1),)}
    [finding] = bad(everything, replace(evidence, samples=samples))
    assert finding.name == "spans stored"
    assert bad(everything, replace(evidence, samples=samples, complete=False)) == []


def test_silence_is_one_explanation_before_the_list(everything: Expectations) -> None:
    findings = bad(everything, Evidence(targets=tuple(Target(job, up=True) for job in everything.targets)))
    assert findings[0].detail == "nothing has arrived from Loom"
    missing = {finding.name for finding in findings[1:] if finding.verdict is Verdict.MISSING}
    assert {everything.naming.base(metric) for metric in everything.metrics} <= missing
    assert {span.key for span in everything.spans} <= missing
