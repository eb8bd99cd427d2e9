"""Evidence against expectations: every finding. Pure."""

from loom.contract import metrics as m
from loom.contract import spans as s
from loom.contract.environment import SAMPLER
from loom.deploy.verify.evidence import Evidence
from loom.deploy.verify.expectation import Expectations
from loom.deploy.verify.finding import Finding, Verdict
from loom.deploy.verify.metrics import judge_metrics
from loom.deploy.verify.sampling import plausible
from loom.deploy.verify.spans import judge_spans


def judge(expected: Expectations, evidence: Evidence) -> list[Finding]:
    """Targets, metrics, spans, sampling, delivery of spans, exemplars: in this order."""
    return [
        *_targets(expected, evidence),
        *_silence(evidence),
        *judge_metrics(expected, evidence),
        *judge_spans(expected, evidence),
        *_share(expected, evidence),
        *_stored(expected, evidence),
        _exemplar(expected, evidence),
    ]


def _targets(expected: Expectations, evidence: Evidence) -> list[Finding]:
    findings = []
    for job in expected.targets:
        mine = [target for target in evidence.targets if target.job == job]
        down = [target for target in mine if not target.up]
        if not mine:
            hint = "is this the deployment that the profile was rendered for?"
            findings.append(Finding("target", job, Verdict.MISSING, "not scraped", hint))
        elif down:
            findings.append(
                Finding("target", job, Verdict.WRONG, down[0].error or "down", "loom-deploy status")
            )
        else:
            findings.append(Finding("target", job, Verdict.FOUND, "up"))
    return findings


def _silence(evidence: Evidence) -> list[Finding]:
    """The one finding that explains all the others, when nothing came from Loom at all."""
    if evidence.spans or any(evidence.samples.values()):
        return []
    hint = "run Loom with the variables of the rendered .env; `loom-deploy status` shows who receives"
    return [Finding("service", "any", Verdict.MISSING, "nothing has arrived from Loom", hint)]


def _share(expected: Expectations, evidence: Evidence) -> list[Finding]:
    """Below 100 %: whether the share of traces that was kept is one that chance explains."""
    counter = expected.count(s.event_bus.PUBLISH)
    if not 0 < expected.ratio < 1 or counter is None or not evidence.complete:
        return []
    published = evidence.total(counter.name)
    mine = [
        x
        for x in evidence.spans
        if x.scope == s.event_bus.PUBLISH.scope and s.event_bus.PUBLISH.matches(x.operation)
    ]
    traces = len({seen.trace_id for seen in mine})
    if not published:
        return []
    # Events published inside one trace are kept or dropped together: draws are traces, not events.
    draws = published * traces / len(mine) if mine else published
    detail = f"{traces} traces of {published:g} events, in about {draws:.0f} draws at {expected.ratio:.2%}"
    if plausible(traces, draws, expected.ratio):
        return [Finding("sampling", "share kept", Verdict.FOUND, detail)]
    hint = f"set {SAMPLER.name}=traceidratio={expected.ratio:g} where Loom runs, as the rendered .env does"
    return [Finding("sampling", "share kept", Verdict.WRONG, detail, hint)]


def _stored(expected: Expectations, evidence: Evidence) -> list[Finding]:
    """Whether Jaeger has every span that the runtime says the collector took."""
    series = expected.naming.series(m.telemetry.SPANS_EXPORTED)
    if m.telemetry.SPANS_EXPORTED not in expected.metrics or not evidence.complete or not expected.ratio:
        return []
    exported, stored = evidence.total(series.name), len(evidence.spans)
    detail = f"{stored} in Jaeger, {exported:g} acknowledged by the collector"
    if stored >= exported:
        return [Finding("sampling", "spans stored", Verdict.FOUND, detail)]
    hint = "loom-deploy logs otel-collector jaeger"
    return [Finding("sampling", "spans stored", Verdict.WRONG, detail, hint)]


def _exemplar(expected: Expectations, evidence: Evidence) -> Finding:
    """At least one exemplar of one histogram leads to a trace."""
    ids = [(name, trace_id) for name, found in evidence.exemplars.items() for trace_id in found]
    good = [(name, trace_id) for name, trace_id in ids if trace_id in evidence.resolved]
    if good:
        name, trace_id = good[0]
        return Finding("exemplar", name, Verdict.FOUND, f"leads to trace {trace_id}")
    if expected.ratio < 1 and not evidence.spans:
        return Finding("exemplar", "any histogram", Verdict.NOT_EXPECTED, "no trace was kept")
    if ids:
        detail = f"trace {ids[0][1]} is not in Jaeger"
        return Finding("exemplar", ids[0][0], Verdict.WRONG, detail, "loom-deploy logs jaeger")
    hint = "exemplars are recorded with sampled traces, and travel in OpenMetrics"
    return Finding("exemplar", "any histogram", Verdict.MISSING, "", hint)
