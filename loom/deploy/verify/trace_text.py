"""A trace for the eyes: one line a span. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from loom.contract import attributes as a
from loom.deploy.verify.trace import Trace, TraceSpan
from loom.deploy.verify.trace_tree import Row, Tree

SHOWN = (
    a.AGENT_ID,
    a.TOPIC,
    a.EVENT_TYPE,
    a.ACTION_TYPE,
    a.CAPABILITY,
    a.SERVER,
    a.TRANSPORT,
    a.TOOL_NAME,
    a.REQUEST_MODEL,
    a.ROUTE,
    a.ROUTE_REASON,
    a.CALL_STATUS,
    a.EVENT_OUTCOME,
    a.CACHE_HIT,
    a.TOOLS,
    a.DELIVERED,
    a.DROPPED,
)
"""Attributes that are shown, in this order, where a span has them."""

_USUAL = {a.CACHE_HIT.name: False, a.DROPPED.name: 0}
"""What goes without saying."""

_LONGEST = 60
"""Characters of a value."""
_LEAST = 4
"""Characters of an instance id."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str
    bad: bool = False
    """Whether it is about something that went wrong."""


def header(tree: Tree) -> list[Line]:
    """What the trace is as a whole."""
    trace, short = tree.trace, shorten(tree.trace)
    began = datetime.fromtimestamp(trace.start / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    failed = sum(span.failed for span in trace.spans)
    counts = [
        _count(len(trace.spans), "span"),
        _count(len(trace.services), "service"),
        _count(len(trace.instances), "instance"),
        f"{_milliseconds(trace.duration)} ms in all",
        f"began {began}",
    ]
    lines = [Line(f"trace {trace.trace_id}"), Line(f"  {', '.join(counts)}")]
    lines += [
        Line(f"  {_where(service, short[service, instance])} is {instance or 'an instance without an id'}")
        for service, instance in trace.instances
    ]
    if failed:
        lines.append(Line(f"  {_count(failed, 'span')} ended with an error", bad=True))
    if trace.more:
        lines.append(Line(f"  {_count(trace.more, 'span')} more arrived and were not kept"))
    if tree.missing:
        what = _count(len(tree.missing), "parent")
        hint = "not arrived yet, lost, or reported to somewhere else"
        lines.append(Line(f"  {what} not stored: {hint}", bad=True))
    return lines


def lines(tree: Tree) -> list[Line]:
    """The tree, one line a span, below a line that names the columns."""
    short, names = shorten(tree.trace), {span.span_id: span.operation for span in tree.trace.spans}
    cells = [_cells(row, tree.trace, short) for row in tree.rows]
    table = [("SPAN", "SERVICE INSTANCE", "AT ms", "TOOK ms", "KIND"), *cells]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    notes = ["", *("  ".join(_notes(row.span, tree.trace.trace_id, names)) for row in tree.rows)]
    marks = [False, *(row.span is None or row.span.failed for row in tree.rows)]
    return [
        Line(f"{_padded(row, widths)}  {note}".rstrip(), bad)
        for row, note, bad in zip(table, notes, marks, strict=True)
    ]


def shorten(trace: Trace) -> dict[tuple[str, str], str]:
    """(Service, instance) → the beginning of the instance's id, as long as it takes to tell all apart."""
    ids = {instance for _, instance in trace.instances}
    length = _LEAST
    while len({instance[:length] for instance in ids}) < len(ids):
        length += 1
    return {(service, instance): instance[:length] for service, instance in trace.instances}


def _cells(row: Row, trace: Trace, short: dict[tuple[str, str], str]) -> tuple[str, ...]:
    span = row.span
    if span is None:
        return (f"{_branch(row)}(parent {row.span_id} not stored)", "", "", "", "")
    return (
        _branch(row) + _plain(span.operation),
        _where(span.service, short[span.service, span.instance]),
        _milliseconds(span.start - trace.start),
        _milliseconds(span.duration),
        span.kind,
    )


def _branch(row: Row) -> str:
    if not row.rails:
        return ""
    above = "".join("│  " if follows else "   " for follows in row.rails[:-1])
    return above + ("├─ " if row.rails[-1] else "└─ ")


def _notes(span: TraceSpan | None, trace_id: str, names: dict[str, str]) -> Iterator[str]:
    if span is None:
        return
    if span.failed:
        yield f"ERROR {_error(span)}".rstrip()
    for attribute in SHOWN:
        value = span.attributes.get(attribute.name, "")
        if value not in {"", _USUAL.get(attribute.name, "")}:
            text = str(value).lower() if isinstance(value, bool) else _plain(str(value))
            yield f"{attribute.name}={text}"
    for link in span.links:
        where = names.get(link.span_id, "a span that is not stored")
        place = where if link.trace_id == trace_id else f"a span of trace {link.trace_id}"
        yield f"follows from {place} ({link.span_id})"
    for warning in span.warnings:
        yield f"Jaeger says: {_plain(warning)}"


def _error(span: TraceSpan) -> str:
    """Code and exception, each once."""
    code = span.attributes.get(a.ERROR_CODE.name) or span.attributes.get(a.ERROR_TYPE.name)
    said: list[str] = []
    for part in (code, span.attributes.get("otel.status_description"), *span.exceptions):
        text = _plain(str(part or ""))
        if text and text not in said:
            said.append(text)
    return ": ".join(said)


def _plain(text: str) -> str:
    """On one line, without what would steer a terminal, and not too long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{clean[: _LONGEST - 1]}…" if len(clean) > _LONGEST else clean


def _where(service: str, short: str) -> str:
    return f"{service} {short}".rstrip()


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.3f}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    span, where, at, took, kind = row
    left = f"{span:<{widths[0]}}  {where:<{widths[1]}}"
    return f"{left}  {at:>{widths[2]}}  {took:>{widths[3]}}  {kind:<{widths[4]}}"
