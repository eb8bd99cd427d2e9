"""Spans compared with the contract. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from loom.contract.conformity import span_faults
from loom.contract.environment import SAMPLER
from loom.contract.span import Span
from loom.deploy.verify.evidence import Evidence, SeenSpan
from loom.deploy.verify.expectation import Expectations
from loom.deploy.verify.finding import Finding, Verdict
from loom.deploy.verify.sampling import certain

_SAMPLING_HINT = f"check {SAMPLER.name} where Loom runs, and that its log says it was initialized"


def judge_spans(expected: Expectations, evidence: Evidence) -> list[Finding]:
    """One finding for each span of the contract."""
    names = {(seen.trace_id, seen.span_id): _key(expected.spans, seen) for seen in evidence.spans}
    return [_judge(expected, span, evidence, names) for span in expected.spans]


def _judge(
    expected: Expectations, span: Span, evidence: Evidence, names: Mapping[tuple[str, str], str]
) -> Finding:
    mine = [seen for seen in evidence.spans if names[seen.trace_id, seen.span_id] == span.key]
    if not mine:
        return _absent(expected, span, evidence)
    if not expected.ratio:
        hint = f"the profile says always_off; set {SAMPLER.name} where Loom runs, as the rendered .env does"
        return Finding("span", span.key, Verdict.WRONG, f"{len(mine)} spans", hint)
    faults = list(dict.fromkeys(fault for seen in mine for fault in _faults(span, seen, names)))
    if faults:
        where = f"trace {mine[0].trace_id}"
        return Finding("span", span.key, Verdict.WRONG, "; ".join(faults[:3]), f"look at {where}")
    parents = sorted(
        {names.get((seen.trace_id, seen.parent_id), "another span") for seen in mine if seen.parent_id}
    )
    detail = f"{len(mine)} spans, {len({seen.trace_id for seen in mine})} traces"
    return Finding(
        "span", span.key, Verdict.FOUND, f"{detail}, below {'|'.join(parents)}" if parents else detail
    )


def _absent(expected: Expectations, span: Span, evidence: Evidence) -> Finding:
    """A span that was not seen: missing, unless the sampler may have dropped every one."""
    if not expected.ratio:
        return Finding("span", span.key, Verdict.NOT_EXPECTED, "the sampler is always_off")
    if expected.ratio < 1:
        counter = expected.count(span)
        total = evidence.total(counter.name) if counter else 0.0
        if not certain(total, expected.ratio):
            detail = f"{expected.ratio:.2%} of {total:g} may be none" if counter else "sampled"
            return Finding("span", span.key, Verdict.NOT_EXPECTED, detail)
    hint = span.description.rstrip(".") if evidence.spans else _SAMPLING_HINT
    return Finding("span", span.key, Verdict.MISSING, "", hint)


def _key(spans: Sequence[Span], seen: SeenSpan) -> str:
    """The contract's key of a span that was seen; its own name when it is none of the contract's."""
    for span in spans:
        if span.scope == seen.scope and span.matches(seen.operation):
            return span.key
    return f"{seen.scope}/{seen.operation}"


def _faults(span: Span, seen: SeenSpan, names: Mapping[tuple[str, str], str]) -> Iterable[str]:
    """What is wrong with one span."""
    yield from span_faults(span, seen)
    yield from _parent_faults(span, seen, names)


def _parent_faults(span: Span, seen: SeenSpan, names: Mapping[tuple[str, str], str]) -> Iterable[str]:
    if not span.parents or "" in span.parents:
        return
    parent = names.get((seen.trace_id, seen.parent_id), "")
    if parent not in span.parents:
        what = f"below {parent}" if parent else "without its parent" if seen.parent_id else "a root"
        yield f"it is {what}, not below {' or '.join(span.parents)}"
