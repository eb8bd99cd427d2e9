"""A trace as a tree: who is below whom, in the order of time. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loom.deploy.verify.trace import Trace, TraceSpan


@dataclass(frozen=True, slots=True)
class Row:
    """One span, or the place of one that is not stored."""

    span: TraceSpan | None
    """None for a parent that is not stored."""
    span_id: str
    rails: tuple[bool, ...]
    """For each level from below the root down to its own: whether a sibling follows later."""

    @property
    def depth(self) -> int:
        """0 for a root."""
        return len(self.rails)


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole trace: every row stands below its parent, children in the order in which they began."""

    trace: Trace
    rows: tuple[Row, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of the parents that are not stored."""
        return tuple(row.span_id for row in self.rows if row.span is None)


def grow(trace: Trace) -> Tree:
    """Every span of the trace exactly once.

    Spans whose parent is not stored hang below a row without a span. Of spans that are each other's parents
    the earliest becomes a root.
    """
    below: defaultdict[str, list[TraceSpan]] = defaultdict(list)
    for span in sorted(trace.spans, key=_place):
        below[span.parent_id].append(span)
    known = {span.span_id for span in trace.spans}
    tops: list[tuple[tuple[int, int], TraceSpan | None, str]]
    tops = [(_place(span), span, span.span_id) for span in below.pop("", [])]
    tops += [(_place(spans[0]), None, parent) for parent, spans in below.items() if parent not in known]
    rows: list[Row] = []
    for _, top, span_id in sorted(tops, key=lambda found: found[0]):
        rows += _descend(top, span_id, below)
    while below:  # what is left goes round in circles
        parent, spans = min(below.items(), key=lambda found: _place(found[1][0]))
        circle = spans.pop(0)
        if not spans:
            del below[parent]
        rows += _descend(circle, circle.span_id, below)
    return Tree(trace, tuple(rows))


def document(tree: Tree) -> dict[str, Any]:
    """The tree for machines: JSON types only; spans in the order of the tree, times in milliseconds."""
    trace = tree.trace
    return {
        "trace_id": trace.trace_id,
        "start": trace.start / 1e6,
        "duration_ms": trace.duration / 1000,
        "services": list(trace.services),
        "instances": [{"service": service, "instance": instance} for service, instance in trace.instances],
        "missing_parents": list(tree.missing),
        "not_kept": trace.more,
        "spans": [_document(row.span, row.depth, trace.start) for row in tree.rows if row.span],
    }


def _place(span: TraceSpan) -> tuple[int, int]:
    """What began first comes first; of two that began together, the longer one."""
    return (span.start, -span.duration)


def _descend(top: TraceSpan | None, span_id: str, below: dict[str, list[TraceSpan]]) -> list[Row]:
    """A root and all below it, which is taken out of `below`: spans of one id share no child, circles end."""
    rows: list[Row] = []
    # Not recursive: agents that answer each other make traces deeper than Python's stack.
    waiting: list[Row] = [Row(top, span_id, ())]
    while waiting:
        row = waiting.pop()
        rows.append(row)
        waiting += reversed(_children(row, below.pop(row.span_id, ())))
    return rows


def _children(row: Row, spans: Sequence[TraceSpan]) -> list[Row]:
    return [Row(span, span.span_id, (*row.rails, span is not spans[-1])) for span in spans]


def _document(span: TraceSpan, depth: int, origin: int) -> dict[str, Any]:
    return {
        "depth": depth,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "operation": span.operation,
        "service": span.service,
        "instance": span.instance,
        "start_ms": (span.start - origin) / 1000,
        "duration_ms": span.duration / 1000,
        "kind": span.kind,
        "status": span.status,
        "attributes": dict(span.attributes),
        "links": [{"trace_id": link.trace_id, "span_id": link.span_id} for link in span.links],
        "exceptions": list(span.exceptions),
        "warnings": list(span.warnings),
    }
