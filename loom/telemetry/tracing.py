"""Which spans are recorded, and how they follow one another.

A root is decided by one compare on a random number that becomes half of its trace id; a span with a parent
follows it. What is not recorded costs nothing more.
"""

from collections.abc import Callable
from contextvars import Token
from functools import partial
from random import getrandbits
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation import _SPAN_KEY

from loom.contract import span as contract
from loom.telemetry.current import attach, detach, get_current
from loom.telemetry.sampling import LOW_BITS, Sampling
from loom.telemetry.span import AnySpan, Span, Unsampled

Sink = Callable[[Span], None]

SAMPLED = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)
_NOT_SAMPLED = TraceFlags(TraceFlags.DEFAULT)
_NO_STATE = TraceState.get_default()

_identify: Callable[[tuple[int, int, bool, TraceFlags, TraceState, bool]], SpanContext] = partial(
    tuple.__new__, SpanContext
)
"""The ids of a span of ours; `SpanContext(...)` would check, at twice the price, what is valid anyway."""


class Tracing:
    """Starts spans of the contract, or not."""

    def __init__(self, sampling: Sampling, sink: Sink) -> None:
        """`sink` takes each recorded span when it ends."""
        self.sampling = sampling
        self.bound = sampling.bound
        """A root is kept when 64 random bits are below it."""
        self.roots = 0
        """Traces that were begun here and are kept."""
        self._sink = sink
        self._follow = sampling.follow_parent
        self._nobody = Unsampled(_unsampled())
        self.unsampled = set_span_in_context(self._nobody, Context())
        """The context of every root that is not kept: whatever hangs below it is not kept either."""

    def root(self, definition: contract.Span, attributes: dict[str, Any]) -> Span | None:
        """A span without a parent, when the draw says so."""
        low = getrandbits(64)
        return self.record_root(low, definition, attributes) if low < self.bound else None

    def record_root(self, low: int, definition: contract.Span, attributes: dict[str, Any]) -> Span:
        """A span without a parent whose draw `low` was below the bound."""
        self.roots += 1
        trace_id = (getrandbits(64) << 64) | low or 1
        own = _identify((trace_id, getrandbits(64) or 1, False, SAMPLED, _NO_STATE, True))
        return Span(definition, own, None, attributes, self._sink)

    def start(
        self, definition: contract.Span, attributes: dict[str, Any], context: Context | None = None
    ) -> Span | None:
        """A span below `context` (the current one), or None when it is not kept."""
        # Not get_current_span: it asks for the type in a way that takes as long as all of this.
        above = (get_current() if context is None else context).get(_SPAN_KEY)
        if type(above) is not Span:
            return self._start_below_foreign(definition, attributes, get_current_span(context))
        # One of ours was recorded: its ids are valid, and its flags say that it is sampled.
        parent = above.context
        if not self._follow and parent.trace_id & LOW_BITS >= self.bound:
            return None
        trace_id, _, _, flags, state, _ = parent
        own = _identify((trace_id, getrandbits(64) or 1, False, flags, state, True))
        return Span(definition, own, parent, attributes, self._sink)

    def below(self, span: Span | None, context: Context) -> Context:
        """The context for what happens inside a span that was started in `context`, recorded or not."""
        if span is not None:
            return Context({**context, _SPAN_KEY: span})  # set_span_in_context, written out
        if not context:
            return self.unsampled
        if get_current_span(context).get_span_context().is_valid:
            return context
        return set_span_in_context(self._nobody, context)

    def scope(
        self, definition: contract.Span, attributes: dict[str, Any], context: Context | None = None
    ) -> "Scope":
        """A span for a `with` block, current inside it."""
        return Scope(self, definition, attributes, context)

    def _start_below_foreign(
        self, definition: contract.Span, attributes: dict[str, Any], above: trace.Span
    ) -> Span | None:
        """A span below nothing, below another library's span, or below one of another process."""
        parent = above.get_span_context()
        if not parent.is_valid:
            return self.root(definition, attributes)
        kept = parent.trace_flags.sampled if self._follow else parent.trace_id & LOW_BITS < self.bound
        if not kept:
            return None
        flags = TraceFlags(parent.trace_flags | TraceFlags.SAMPLED)
        own = SpanContext(parent.trace_id, getrandbits(64) or 1, False, flags, parent.trace_state)  # noqa: FBT003 - is_remote
        return Span(definition, own, parent, attributes, self._sink)


class Scope:
    """A span around a `with` block: current inside, ended behind it."""

    __slots__ = ("_attributes", "_context", "_definition", "_span", "_token", "_tracing")

    def __init__(
        self,
        tracing: Tracing,
        definition: contract.Span,
        attributes: dict[str, Any],
        context: Context | None,
    ) -> None:
        """Nothing happens before the block is entered; no context means the current one."""
        self._tracing = tracing
        self._definition = definition
        self._attributes = attributes
        self._context = context
        self._span: Span | None = None
        self._token: Token[Context] | None = None

    def __enter__(self) -> AnySpan:
        """Start the span and make it the current one."""
        context = get_current() if self._context is None else self._context
        tracing = self._tracing
        span = self._span = tracing.start(self._definition, self._attributes, context)
        self._token = attach(tracing.below(span, context))
        return tracing._nobody if span is None else span  # noqa: SLF001 - one unit

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Leave the context and end the span; an exception that leaves the block is recorded."""
        if self._token is not None:
            detach(self._token)
        span = self._span
        if span is not None:
            if exc_val is not None:
                span.fail(exc_val)
            span.end()


def is_shared(span: SpanContext) -> bool:
    """Whether this is the context that all roots share that are not kept."""
    return span.trace_id & LOW_BITS == LOW_BITS and not span.trace_flags.sampled


def fresh_unsampled() -> SpanContext:
    """Ids of a trace that is not kept."""
    return SpanContext(getrandbits(128) or 1, getrandbits(64) or 1, False, _NOT_SAMPLED)  # noqa: FBT003 - is_remote


def _unsampled() -> SpanContext:
    """Low bits all ones: below no ratio's bound, whoever decides by trace id."""
    return SpanContext((getrandbits(64) << 64) | LOW_BITS, getrandbits(64) or 1, False, _NOT_SAMPLED)  # noqa: FBT003 - is_remote
