"""Spans of the router."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind
from loom.contract.spans import agent

ROUTE = Span(
    "route",
    scopes.ROUTER,
    SpanKind.INTERNAL,
    "One routing decision.",
    (a.EVENT_ID, a.ROUTE, a.ROUTE_REASON, a.CONFIDENCE, a.ESTIMATED_LATENCY, a.ESTIMATED_COST),
    parents=(agent.ROUTE_EVENT.key, ""),
)

ALL = (ROUTE,)
