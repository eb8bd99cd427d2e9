"""Traces, whole, for people to look at: the latest, and of those before them the richest. Bounded."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from loom.contract.conformity import ERROR
from loom.receiver.arrival import SpanArrival, Value

TRACES = 50
_LATEST = 0.6
"""Share of them that is kept for being the latest; a flood of small traces must not wash away the rest."""
_EXACT = 2**53
"""Beyond it a reader of JSON may lose digits: JavaScript has one kind of number."""
SPANS_EACH = 300
"""Spans that are kept of one trace; the page says when there were more."""


@dataclass(slots=True)
class Kept:
    """One trace."""

    spans: dict[str, SpanArrival] = field(default_factory=dict)
    """By span id."""
    faulty: set[str] = field(default_factory=set)
    """Ids of spans that are not as the contract says."""
    more: int = 0
    """Spans that were not kept."""


class TraceRing:
    """The traces that something arrived for last, and the richest of the others."""

    def __init__(self, limit: int = TRACES) -> None:
        """`limit` is how many traces are kept."""
        self._limit = limit
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def observe(self, seen: SpanArrival, *, faulty: bool) -> None:
        """Keep one span."""
        kept = self._kept.setdefault(seen.trace_id, Kept())
        self._kept.move_to_end(seen.trace_id)
        if len(self._kept) > self._limit:
            self._forget()
        if seen.span_id in kept.spans:
            return
        if len(kept.spans) >= SPANS_EACH:
            kept.more += 1
            return
        kept.spans[seen.span_id] = seen
        if faulty:
            kept.faulty.add(seen.span_id)

    def _forget(self) -> None:
        """Let go of the smallest of those that are not among the latest; of equals the oldest."""
        older = list(self._kept)[: -max(1, int(self._limit * _LATEST))]
        del self._kept[min(older, key=lambda trace_id: len(self._kept[trace_id].spans))]

    def summaries(self) -> list[dict[str, Any]]:
        """One object a trace, the latest first."""
        return [_summary(trace_id, kept) for trace_id, kept in reversed(self._kept.items())]

    def waterfall(self, trace_id: str) -> dict[str, Any] | None:
        """One trace with its spans, children below their parent in the order of their start; None if gone."""
        kept = self._kept.get(trace_id)
        if kept is None:
            return None
        start = min(span.start for span in kept.spans.values())
        spans = [_span(span, depth, start, kept) for span, depth in _descend(kept.spans)]
        return {**_summary(trace_id, kept), "rows": spans}


def _summary(trace_id: str, kept: Kept) -> dict[str, Any]:
    spans = sorted(kept.spans.values(), key=lambda span: span.start)
    roots = [span for span in spans if not span.parent_id]
    start, end = spans[0].start, max(span.end for span in spans)
    return {
        "trace_id": trace_id,
        "name": (roots or spans)[0].operation,
        "services": sorted({span.origin.service for span in spans}),
        "processes": len({span.origin.identity for span in spans}),
        "start": start / 1e9,
        "duration_ms": (end - start) / 1e6,
        "spans": len(spans),
        "more": kept.more,
        "errors": sum(span.status == ERROR for span in spans),
        "faults": len(kept.faulty),
    }


def _descend(spans: Mapping[str, SpanArrival]) -> Iterator[tuple[SpanArrival, int]]:
    """Each span once with its depth; one whose parent is not there stands at the left."""
    below: dict[str, list[SpanArrival]] = {}
    for span in sorted(spans.values(), key=lambda span: (span.start, -span.end)):
        below.setdefault(span.parent_id if span.parent_id in spans else "", []).append(span)
    # Not recursive: agents that answer each other make traces deeper than Python's stack.
    waiting = [(span, 0) for span in reversed(below.pop("", []))]
    while waiting or below:
        if not waiting:  # what is left goes round in circles: begin anywhere
            waiting = [(span, 0) for span in below.pop(next(iter(below)))]
        span, depth = waiting.pop()
        yield span, depth
        waiting += [(child, depth + 1) for child in reversed(below.pop(span.span_id, []))]


def _span(span: SpanArrival, depth: int, origin: int, kept: Kept) -> dict[str, Any]:
    return {
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "depth": depth,
        "name": span.operation,
        "scope": span.scope,
        "service": span.origin.service,
        "instance": span.origin.identity.instance,
        "kind": span.kind,
        "status": span.status,
        "message": span.message,
        "start_ms": (span.start - origin) / 1e6,
        "duration_ms": (span.end - span.start) / 1e6,
        "faulty": span.span_id in kept.faulty,
        "attributes": {name: _plain(value) for name, value in sorted(span.attributes.items())},
        "links": [{"trace_id": trace_id, "span_id": span_id} for trace_id, span_id in span.links],
        "exceptions": list(span.exceptions),
    }


def _plain(value: Value) -> Value:
    """As JSON can say it: what it has no exact number for as text."""
    exact = isinstance(value, str | bool) or (isfinite(value) and abs(value) <= _EXACT)
    return value if exact else str(value)
