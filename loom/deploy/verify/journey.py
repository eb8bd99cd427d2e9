"""Where on its way telemetry was lost: SDK → receiver → exporter → store, from the collector's counters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from loom.contract import foreign
from loom.contract import metrics as m
from loom.contract.naming import Naming
from loom.contract.series import Series
from loom.deploy.verify.evidence import Evidence, Passage
from loom.deploy.verify.finding import Finding, Verdict
from loom.deploy.verify.prometheus import MetricStore, Window


class Stage(StrEnum):
    """Where something that is missing was seen last, or never."""

    RUNTIME = "runtime"
    """Other telemetry gets through: this was never recorded."""
    SDK = "sdk"
    """It did not reach the collector."""
    RECEIVER = "receiver"
    """The collector refused it."""
    EXPORTER = "exporter"
    """The collector took it and did not get rid of it."""
    STORE = "store"
    """The collector delivered it and the store does not show it."""


@dataclass(frozen=True, slots=True)
class _Loss:
    stage: Stage
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Signal:
    """One kind of telemetry, and the collector's counters of it."""

    noun: str
    store: str
    accepted: Series
    refused: tuple[Series, ...]
    sent: Series
    failed: tuple[Series, ...]


_SIGNALS = {
    "metric": _Signal(
        "metric points",
        "Prometheus",
        foreign.ACCEPTED_METRIC_POINTS,
        (foreign.REFUSED_METRIC_POINTS, foreign.LIMITER_REFUSED_METRIC_POINTS),
        foreign.SENT_METRIC_POINTS,
        (foreign.SEND_FAILED_METRIC_POINTS, foreign.ENQUEUE_FAILED_METRIC_POINTS),
    ),
    "span": _Signal(
        "spans",
        "Jaeger",
        foreign.ACCEPTED_SPANS,
        (foreign.REFUSED_SPANS, foreign.LIMITER_REFUSED_SPANS),
        foreign.SENT_SPANS,
        (foreign.SEND_FAILED_SPANS, foreign.ENQUEUE_FAILED_SPANS),
    ),
}
"""Subject of a finding → its signal."""


def passages(metrics: MetricStore, window: Window) -> dict[str, Passage]:
    """Subject of a finding → what the collector counted of that signal inside the window."""
    own = Window(window.start, window.end, (foreign.JOB_COLLECTOR,))

    def count(every: Iterable[Series]) -> float:
        return sum(sample.value for series in every for sample in metrics.samples(series, own))

    return {
        subject: Passage(
            count([signal.accepted]), count(signal.refused), count([signal.sent]), count(signal.failed)
        )
        for subject, signal in _SIGNALS.items()
    }


def locate(findings: Sequence[Finding], naming: Naming, evidence: Evidence) -> list[Finding]:
    """The findings; each metric and span that is missing says where it was lost."""
    return [_located(finding, naming, evidence) for finding in findings]


def _located(finding: Finding, naming: Naming, evidence: Evidence) -> Finding:
    passage = evidence.passages.get(finding.subject)
    if finding.verdict is not Verdict.MISSING or passage is None:
        return finding
    loss = _loss(_SIGNALS[finding.subject], passage, naming, evidence)
    detail = "; ".join(filter(None, (finding.detail, loss.detail)))
    return replace(finding, detail=detail, hint=loss.hint or finding.hint, lost_at=loss.stage)


def _loss(signal: _Signal, passage: Passage, naming: Naming, evidence: Evidence) -> _Loss:
    return (signal is _SIGNALS["span"] and _unmade(naming, evidence)) or _in_collector(
        signal, passage, evidence
    )


def _unmade(naming: Naming, evidence: Evidence) -> _Loss | None:
    """What the runtime says of its own spans: that it made none, or lost some itself."""
    created = evidence.samples.get(naming.series(m.telemetry.SPANS_CREATED).name, ())
    made = sum(sample.value for sample in created)
    if created and not made:
        return _Loss(Stage.SDK, "Loom reports, and made no span: its sampler drops every trace")
    lost = evidence.total(naming.series(m.telemetry.SPANS_LOST).name)
    if lost:
        return _Loss(Stage.SDK, f"Loom made {made:g} spans and lost {lost:g} before the collector had them")
    return None


def _in_collector(signal: _Signal, passage: Passage, evidence: Evidence) -> _Loss:
    noun, store = signal.noun, signal.store
    logs = f"loom-deploy logs otel-collector {store.lower()}"
    if passage.failed:
        told = f"the collector took {passage.accepted:g} {noun} and failed to hand over {passage.failed:g}"
        return _Loss(Stage.EXPORTER, told, logs)
    if passage.refused:
        told = f"the collector refused {passage.refused:g} {noun}"
        return _Loss(Stage.RECEIVER, told, "loom-deploy logs otel-collector; is its memory limit reached?")
    if not passage.accepted:
        return _Loss(Stage.SDK, f"the collector has received no {noun}")
    if not passage.sent:
        told = f"the collector took {passage.accepted:g} {noun} and has handed over none"
        return _Loss(Stage.EXPORTER, told, logs)
    shown = evidence.spans if signal is _SIGNALS["span"] else any(evidence.samples.values())
    if not shown:
        told = f"the collector handed over {passage.sent:g} {noun} and {store} shows none of these"
        return _Loss(Stage.STORE, told, f"loom-deploy logs {store.lower()}")
    return _Loss(Stage.RUNTIME, "never recorded: other telemetry gets through")
