"""One trace with everything that is stored of it: read from the JSON of Jaeger's query API. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loom.contract.resource import SERVICE_INSTANCE_ID

_PARENT, _LINK = "CHILD_OF", "FOLLOWS_FROM"

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Link:
    """A span that another one follows from, without being below it."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One span."""

    span_id: str
    parent_id: str
    """Empty for a root."""
    operation: str
    service: str
    instance: str
    """`service.instance.id` of its process; empty when it reports none."""
    start: int
    """Microseconds since 1970."""
    duration: int
    """Microseconds."""
    kind: str = ""
    """`producer`, `internal` …; empty when it has none."""
    status: str = ""
    """`OK`, `ERROR`, or empty when it was never set."""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    """Every tag, with the kind and the status among them."""
    links: tuple[Link, ...] = ()
    exceptions: tuple[str, ...] = ()
    """`Type: message` of each exception that was recorded."""
    warnings: tuple[str, ...] = ()
    """What Jaeger itself has to say about the span: that clocks disagree, for one."""

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return self.status == "ERROR" or self.attributes.get("error") is True

    @property
    def end(self) -> int:
        """Microseconds since 1970."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Trace:
    """All spans of one id that are stored."""

    trace_id: str
    spans: tuple[TraceSpan, ...]
    more: int = 0
    """Spans that arrived and were not kept."""

    @property
    def services(self) -> tuple[str, ...]:
        """Each once, sorted."""
        return tuple(sorted({span.service for span in self.spans}))

    @property
    def instances(self) -> tuple[tuple[str, str], ...]:
        """Each (service, instance) once, sorted."""
        return tuple(sorted({(span.service, span.instance) for span in self.spans}))

    @property
    def start(self) -> int:
        """Of its first span, in microseconds since 1970; 0 when there is none."""
        return min((span.start for span in self.spans), default=0)

    @property
    def duration(self) -> int:
        """From the first start to the last end, in microseconds."""
        return max((span.end for span in self.spans), default=0) - self.start


def richest(traces: Iterable[Trace]) -> Trace | None:
    """The one that tells most: of most instances, then of most spans, then the latest."""
    return max(traces, key=lambda one: (len(one.instances), len(one.spans), one.start), default=None)


def parse(document: Mapping[str, Any]) -> Trace:
    """One trace of Jaeger's `data`."""
    processes = {key: _Process.of(found) for key, found in document["processes"].items()}
    spans = tuple(_span(one, processes[one["processID"]]) for one in document["spans"])
    return Trace(document["traceID"], spans)


@dataclass(frozen=True, slots=True)
class _Process:
    service: str
    instance: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "_Process":
        tags = _tags(document.get("tags"))
        return cls(document["serviceName"], str(tags.get(SERVICE_INSTANCE_ID.name, "")))


def _span(document: Mapping[str, Any], process: _Process) -> TraceSpan:
    tags = _tags(document["tags"])
    references = document["references"] or ()
    parents = [one["spanID"] for one in references if one["refType"] == _PARENT]
    return TraceSpan(
        span_id=document["spanID"],
        parent_id=parents[0] if parents else "",
        operation=document["operationName"],
        service=process.service,
        instance=process.instance,
        start=document["startTime"],
        duration=document["duration"],
        kind=str(tags.get("span.kind", "")),
        status=str(tags.get("otel.status_code", "")),
        attributes=tags,
        links=tuple(Link(one["traceID"], one["spanID"]) for one in references if one["refType"] == _LINK),
        exceptions=tuple(_exceptions(document["logs"] or ())),
        warnings=tuple(document["warnings"] or ()),
    )


def _exceptions(logs: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    for log in logs:
        fields = _tags(log["fields"])
        if fields.get("event") == "exception":
            parts = (fields.get("exception.type"), fields.get("exception.message"))
            yield ": ".join(str(part) for part in parts if part)


def _tags(tags: Iterable[Mapping[str, Any]] | None) -> dict[str, Value]:
    return {tag["key"]: tag["value"] for tag in tags or ()}
