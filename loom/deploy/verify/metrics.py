"""Metrics compared with the contract. Pure."""

from collections.abc import Iterable, Sequence

from loom.contract.attribute import OVERFLOW_VALUE
from loom.contract.environment import ENVIRONMENT
from loom.contract.metric import Metric
from loom.contract.resource import ENVIRONMENT_LABEL
from loom.contract.series import Series
from loom.deploy.verify.evidence import Evidence, Sample
from loom.deploy.verify.expectation import Expectations
from loom.deploy.verify.finding import Finding, Verdict

_SHOWN = 6
"""Values of a label that are listed."""


def judge_metrics(expected: Expectations, evidence: Evidence) -> list[Finding]:
    """One finding for each metric."""
    return [
        *(_judge(expected, metric, evidence) for metric in (*expected.metrics, *expected.optional)),
        *(_trouble(expected, metric, evidence) for metric in expected.troubles),
    ]


def _judge(expected: Expectations, metric: Metric, evidence: Evidence) -> Finding:
    every = expected.naming.all_series(metric)
    name = expected.naming.base(metric)
    missing = [series.name for series in every if not evidence.samples.get(series.name)]
    if len(missing) == len(every) and metric in expected.optional:
        return Finding("metric", name, Verdict.NOT_EXPECTED, "none, as it should be")
    if missing:
        detail = "" if len(missing) == len(every) else f"without {', '.join(missing)}"
        return Finding("metric", name, Verdict.MISSING, detail, metric.description.rstrip("."))
    wrong = [fault for series in every for fault in _faults(expected, metric, series, evidence)]
    if wrong:
        return Finding("metric", name, Verdict.WRONG, "; ".join(wrong[:3]), _hint(wrong))
    samples = [sample for series in every for sample in evidence.samples[series.name]]
    return Finding("metric", name, Verdict.FOUND, _summary(metric, samples))


def _faults(expected: Expectations, metric: Metric, series: Series, evidence: Evidence) -> list[str]:
    """What is wrong with the labels of one series name, each fault once."""
    faults: dict[str, None] = {}
    conditional = [attribute.label for attribute in metric.conditional]
    for sample in evidence.samples[series.name]:
        for label in series.labels:
            if not sample.labels.get(label) and label not in conditional:
                faults[f"{series.name} has no label {label}"] = None
        seen = sample.labels.get(ENVIRONMENT_LABEL, expected.environment)
        if seen != expected.environment:
            faults[f"{ENVIRONMENT_LABEL} is {seen!r}, the profile says {expected.environment!r}"] = None
        for attribute in metric.attributes:
            value = sample.labels.get(attribute.label, "")
            if attribute.values and value and value not in (*attribute.values, OVERFLOW_VALUE):
                faults[f"{attribute.label}={value!r} is not one of {', '.join(attribute.values)}"] = None
    return list(faults)


def _hint(faults: Sequence[str]) -> str:
    if any(fault.startswith(f"{ENVIRONMENT_LABEL} is") for fault in faults):
        return f"set {ENVIRONMENT.name} where Loom runs, as the rendered .env does"
    return "Loom and loom-deploy disagree about the contract: are they the same version?"


def _summary(metric: Metric, samples: Sequence[Sample]) -> str:
    """`4 series, qos: background, batched, realtime`."""
    parts = [f"{len(samples)} series"]
    for attribute in metric.attributes:
        values = sorted({sample.labels.get(attribute.label, "") for sample in samples} - {""})
        parts.append(f"{attribute.label}: {_list(values) or 'none'}")
    return ", ".join(parts)


def _list(values: Sequence[str]) -> str:
    more = len(values) - _SHOWN
    return "|".join(values[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _trouble(expected: Expectations, metric: Metric, evidence: Evidence) -> Finding:
    name = expected.naming.base(metric)
    bad = [sample for sample in evidence.samples.get(name, ()) if sample.value > 0]
    if not bad:
        return Finding("metric", name, Verdict.NOT_EXPECTED, "none, as it should be")
    detail = ", ".join(_said(metric, sample) for sample in bad[:_SHOWN])
    return Finding("metric", name, Verdict.WRONG, detail, metric.description.rstrip("."))


def _said(metric: Metric, sample: Sample) -> str:
    labels: Iterable[str] = (sample.labels.get(attribute.label, "?") for attribute in metric.attributes)
    return f"{sample.value:g} ({', '.join(labels)})"
