"""What is missing says where on its way it was lost; the collector's counters decide."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from loom.contract import foreign
from loom.contract import metrics as m
from loom.contract.resource import JOB
from loom.deploy.verify.evidence import Evidence, Passage, Sample
from loom.deploy.verify.expectation import Expectations
from loom.deploy.verify.fake import FakeMetrics
from loom.deploy.verify.finding import Finding
from loom.deploy.verify.journey import Stage, locate, passages
from loom.deploy.verify.judge import judge
from loom.deploy.verify.prometheus import Window

Healthy = Callable[[Expectations], Evidence]
THROUGH = Passage(accepted=100, sent=100)


def lost(expected: Expectations, evidence: Evidence, subject: str) -> set[str]:
    """Where the missing findings of a subject were lost."""
    found = locate(judge(expected, evidence), expected.naming, evidence)
    return {finding.lost_at for finding in found if finding.subject == subject and not finding.good}


def without_metrics(evidence: Evidence) -> Evidence:
    return replace(evidence, samples={})


def without_spans(evidence: Evidence) -> Evidence:
    return replace(evidence, spans=(), complete=False)


@pytest.mark.parametrize(
    ("passage", "stage"),
    [
        (Passage(), Stage.SDK),
        (Passage(refused=5), Stage.RECEIVER),
        (Passage(accepted=5), Stage.EXPORTER),
        (Passage(accepted=5, sent=2, failed=3), Stage.EXPORTER),
        (THROUGH, Stage.STORE),
    ],
)
@pytest.mark.parametrize("subject", ["metric", "span"])
def test_each_stage_of_the_way_is_told_from_the_collectors_counters(
    everything: Expectations, healthy: Healthy, passage: Passage, stage: Stage, subject: str
) -> None:
    gone = {"metric": without_metrics, "span": without_spans}[subject](healthy(everything))
    evidence = replace(gone, passages={"metric": THROUGH, "span": THROUGH, subject: passage})
    assert lost(everything, evidence, subject) == {stage}


def test_what_is_missing_alone_was_never_recorded(everything: Expectations, healthy: Healthy) -> None:
    evidence = healthy(everything)
    name = everything.naming.series(m.router.DECISIONS).name
    samples = {series: found for series, found in evidence.samples.items() if series != name}
    evidence = replace(evidence, samples=samples, passages={"metric": THROUGH, "span": THROUGH})
    assert lost(everything, evidence, "metric") == {Stage.RUNTIME}


def test_a_runtime_that_made_no_span_is_told_from_a_store_that_shows_none(
    everything: Expectations, healthy: Healthy
) -> None:
    evidence = without_spans(healthy(everything))
    created = everything.naming.series(m.telemetry.SPANS_CREATED).name
    samples = {**evidence.samples, created: (Sample({JOB: "loom"}, 0.0),)}
    evidence = replace(evidence, samples=samples, passages={"metric": THROUGH, "span": THROUGH})
    assert lost(everything, evidence, "span") == {Stage.SDK}


def test_a_runtime_that_says_it_lost_spans_is_believed(everything: Expectations, healthy: Healthy) -> None:
    evidence = without_spans(healthy(everything))
    name = everything.naming.series(m.telemetry.SPANS_LOST).name
    samples = {**evidence.samples, name: (Sample({JOB: "loom"}, 7.0),)}
    evidence = replace(evidence, samples=samples, passages={"metric": THROUGH, "span": THROUGH})
    [told] = {
        finding.detail
        for finding in locate(judge(everything, evidence), everything.naming, evidence)
        if finding.subject == "span" and not finding.good
    }
    assert "lost 7 before the collector had them" in told


def test_what_is_found_was_lost_nowhere(everything: Expectations, healthy: Healthy) -> None:
    evidence = replace(healthy(everything), passages={"metric": Passage(), "span": Passage()})
    found: list[Finding] = locate(judge(everything, evidence), everything.naming, evidence)
    assert {finding.lost_at for finding in found} == {""}


def test_only_the_collectors_own_counters_count_not_jaegers_of_the_same_name() -> None:
    def held(**values: float) -> tuple[Sample, ...]:
        return tuple(Sample({JOB: job.replace("_", "-")}, value) for job, value in values.items())

    metrics = FakeMetrics(
        {
            series.name: held(otel_collector=value, jaeger=1000.0)
            for series, value in {
                foreign.ACCEPTED_SPANS: 9.0,
                foreign.SENT_SPANS: 4.0,
                foreign.SEND_FAILED_SPANS: 2.0,
                foreign.ENQUEUE_FAILED_SPANS: 3.0,
                foreign.REFUSED_SPANS: 1.0,
                foreign.LIMITER_REFUSED_SPANS: 6.0,
            }.items()
        }
    )
    found = passages(metrics, Window(0.0, 10.0, ("loom",)))
    assert found["span"] == Passage(accepted=9, refused=7, sent=4, failed=5)
    assert found["metric"] == Passage()
