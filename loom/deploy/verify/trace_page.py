"""Traces of the embedded receiver, from the JSON of its page: one by its id, or the richest that it keeps."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loom.deploy.verify.client import get
from loom.deploy.verify.prometheus import Window
from loom.deploy.verify.trace import Link, Trace, TraceSpan, Value

if TYPE_CHECKING:
    import httpx2

_MICRO, _MILLI = 1_000_000, 1000
_DIGITS = 32
"""Of a trace id; Jaeger finds one without its leading zeros too."""
Document = Mapping[str, Any]


def fetch(client: "httpx2.Client", trace_id: str) -> Trace | None:
    """The trace of that id; None when it is not kept."""
    found = get(client, f"/api/traces/{trace_id.zfill(_DIGITS)}", {})
    return parse(found) if found else None


def richest(client: "httpx2.Client", window: Window) -> Trace | None:
    """Of the traces of the window the one of most instances, then of most spans, then the latest."""
    for trace_id in ranked(get(client, "/api/traces", {}) or (), window):
        if found := fetch(client, trace_id):  # another one may have taken its place since
            return found
    return None


def ranked(summaries: Iterable[Document], window: Window) -> list[str]:
    """Ids of the traces of the window, the richest first. Pure."""
    fitting = [one for one in summaries if _fits(one, window)]
    ordered = sorted(fitting, key=lambda one: (one["processes"], one["spans"] + one["more"], one["start"]))
    return [one["trace_id"] for one in reversed(ordered)]


def parse(document: Document) -> Trace:
    """One trace of the page. Pure."""
    origin = round(document["start"] * _MICRO)
    spans = tuple(_span(row, origin) for row in document["rows"])
    return Trace(document["trace_id"], spans, document["more"])


def _fits(summary: Document, window: Window) -> bool:
    wanted: Sequence[str] = window.services
    ours = not wanted or not set(wanted).isdisjoint(summary["services"])
    return ours and window.start <= summary["start"] <= window.end


def _span(row: Document, origin: int) -> TraceSpan:
    tags: dict[str, Value] = {
        "otel.scope.name": row["scope"],
        "span.kind": row["kind"],
        "otel.status_code": row["status"],
        "otel.status_description": row["message"],
    }
    return TraceSpan(
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        operation=row["name"],
        service=row["service"],
        instance=row["instance"],
        start=origin + round(row["start_ms"] * _MILLI),
        duration=round(row["duration_ms"] * _MILLI),
        kind=row["kind"],
        status=row["status"],
        # Named as Jaeger names them: whoever reads the JSON need not know which engine it came from.
        attributes={**row["attributes"], **{name: value for name, value in tags.items() if value}},
        links=tuple(Link(one["trace_id"], one["span_id"]) for one in row["links"]),
        exceptions=tuple(row["exceptions"]),
    )
