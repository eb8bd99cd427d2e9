"""Every span of ours that arrived, and who hangs below whom, whatever order they come in."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from loom.contract import foreign, spans
from loom.contract.conformity import ERROR, parent_fault, span_faults, unknown_attributes
from loom.contract.foreign import ForeignSpan
from loom.contract.span import Span
from loom.deploy.embedded.fault import Fault, Subject, similar
from loom.receiver.arrival import SpanArrival

SPANS = 200_000
"""Spans whose ids are kept to find parents; about 40 MB."""
_NOTED = 50
"""Different texts that are kept of a kind."""
QUIET = 30.0
"""Seconds after which a parent that has not arrived counts as lost, while more may come."""


@dataclass(slots=True)
class Tally:
    """What is known of one span of the contract, summed."""

    count: int = 0
    errors: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    attributes: set[str] = field(default_factory=set)
    """Names of those that the contract knows."""
    parents: set[str] = field(default_factory=set)
    """Their keys; empty text for a root."""
    services: set[str] = field(default_factory=set)

    def add(self, span: Span | None, seen: SpanArrival) -> None:
        """Count one more."""
        seconds = max(0, seen.end - seen.start) / 1e9
        self.count += 1
        self.errors += seen.status == ERROR
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
        known = (*span.attributes, *span.optional) if span else ()
        self.attributes |= {item.name for item in known} & seen.attributes.keys()
        note(self.services, seen.origin.service)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A span whose parent has not arrived."""

    key: str
    span: Span | None
    """None for one of another library's."""


@dataclass(slots=True)
class TraceState:
    """The spans of one trace, by id."""

    keys: dict[str, str] = field(default_factory=dict)
    waiting: defaultdict[str, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    last: float = 0.0
    """When the last span arrived, in the caller's seconds."""
    partial: bool = False
    """Whether earlier spans of it were forgotten: a missing parent says nothing then."""


class SpanWatch:
    """Judges each span by itself at once, and its place in the trace when its parent is there."""

    def __init__(self, limit: int = SPANS) -> None:
        """`limit` is how many spans' ids are kept; the traces that are quiet longest are forgotten first."""
        self._limit = limit
        self._held = 0
        self._traces: OrderedDict[str, TraceState] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self.total = 0
        """Spans that arrived, of other libraries too."""

    def observe(self, seen: SpanArrival, *, ours: bool, now: float) -> list[Fault]:
        """Take one span; what is wrong with it, and with the children that waited for it."""
        trace = self._trace(seen.trace_id, now)
        if seen.span_id in trace.keys:
            # An exporter that got no answer sends again.
            return []
        self.total += 1
        span = definition(seen) if ours else None
        key = span.key if span else key_of(seen)
        trace.keys[seen.span_id] = key
        self._held += 1
        faults = [*_own_faults(span, seen, ours=ours), *self._place(trace, seen, key, span)]
        if span or known_foreign(seen):
            self._tallies[key].add(span, seen)
        return [*faults, *self._forget()]

    def tally(self, key: str) -> Tally:
        """The sums of one span; zeros when none arrived."""
        return self._tallies.get(key) or Tally()

    def orphans(self, now: float, *, ended: bool) -> list[Fault]:
        """Spans whose parent has not arrived, and will not: all has ended, or the trace is quiet for long."""
        return [
            fault
            for trace in self._traces.values()
            if ended or now - trace.last > QUIET
            for fault in _orphans(trace)
        ]

    @property
    def waiting(self) -> int:
        """Spans that wait for their parent."""
        return sum(len(each) for trace in self._traces.values() for each in trace.waiting.values())

    def _trace(self, trace_id: str, now: float) -> TraceState:
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = TraceState(partial=trace_id in self._forgotten)
        trace.last = now
        self._traces.move_to_end(trace_id)
        return trace

    def _place(self, trace: TraceState, seen: SpanArrival, key: str, span: Span | None) -> Iterator[Fault]:
        if not seen.parent_id:
            yield from self._below(Waiting(key, span), None)
        elif seen.parent_id in trace.keys:
            yield from self._below(Waiting(key, span), trace.keys[seen.parent_id])
        elif span or known_foreign(seen):
            trace.waiting[seen.parent_id].append(Waiting(key, span))
        for child in trace.waiting.pop(seen.span_id, ()):
            yield from self._below(child, key)

    def _below(self, child: Waiting, parent: str | None) -> Iterator[Fault]:
        if child.span is None:
            return
        note(self._tallies[child.key].parents, parent or "")
        text = parent_fault(child.span, parent)
        if text:
            yield Fault(Subject.SPAN, child.key, text, "context must travel with the event or the call")

    def _forget(self) -> Iterable[Fault]:
        """Make room; a trace that goes is judged for the last time."""
        faults: list[Fault] = []
        while self._held > self._limit:
            trace_id, trace = self._traces.popitem(last=False)
            self._held -= len(trace.keys)
            self._forgotten[trace_id] = None
            faults += _orphans(trace)
        while len(self._forgotten) > self._limit:
            self._forgotten.popitem(last=False)
        return faults


def note(held: set[str], text: str) -> None:
    """Add a text that came from outside, unless there are many already."""
    if len(held) < _NOTED:
        held.add(text)


def definition(seen: SpanArrival) -> Span | None:
    """The contract's entry for a span; None when it has none."""
    return next((s for s in spans.ALL if s.scope == seen.scope and s.matches(seen.operation)), None)


def known_foreign(seen: SpanArrival) -> ForeignSpan | None:
    """The contract's entry for another library's span; None when it has none."""
    mine = (span for span in foreign.SPANS if span.scope == seen.scope)
    return next((span for span in mine if seen.operation.startswith(span.prefix)), None)


def key_of(seen: SpanArrival) -> str:
    """`scope/name` of a span that is not ours; by the constant part of its name where that is known."""
    known = known_foreign(seen)
    return f"{seen.scope}/{known.prefix.strip() if known else seen.operation}"


def _own_faults(span: Span | None, seen: SpanArrival, *, ours: bool) -> Iterator[Fault]:
    if span:
        where = f"trace {seen.trace_id}"
        for text in span_faults(span, seen):
            yield Fault(Subject.SPAN, span.key, text, where)
        for name in unknown_attributes(span, seen):
            yield Fault(
                Subject.SPAN, span.key, f"it has an attribute that is not in the contract: {name}", where
            )
    elif ours:
        names = [span.name for span in spans.ALL if span.scope == seen.scope]
        hint = similar(seen.operation, names) or "spans of your own belong into a scope of your own"
        yield Fault(Subject.SPAN, key_of(seen), "is not in the contract", hint)
    else:
        known = known_foreign(seen)
        if known and seen.kind != known.kind.lower():
            text = f"its kind is {seen.kind or 'not set'}, not {known.kind.lower()}"
            yield Fault(Subject.SPAN, key_of(seen), text, known.description)


def _orphans(trace: TraceState) -> Iterator[Fault]:
    if trace.partial:
        return
    hint = "its process ended before it sent it, or sends elsewhere"
    for children in trace.waiting.values():
        for child in children:
            yield Fault(Subject.SPAN, child.key, "its parent never arrived", hint)
