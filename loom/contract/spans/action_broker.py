"""Spans of the action broker."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind
from loom.contract.spans import agent

REGISTER_PROVIDER = Span(
    "register_provider",
    scopes.ACTION_BROKER,
    SpanKind.INTERNAL,
    "A capability registered or replaced.",
    (a.CAPABILITY, a.VERSION, a.PROVIDER_TYPE),
)
INVOKE = Span(
    "invoke",
    scopes.ACTION_BROKER,
    SpanKind.INTERNAL,
    "One invocation of a capability, from look-up to result.",
    (a.CALL_ID, a.CAPABILITY, a.VERSION, a.TIMEOUT, a.CACHE_HIT, a.CALL_STATUS),
    optional=(a.ERROR_CODE,),
    parents=(agent.EXECUTE_ACTION.key, ""),
)

ALL = (REGISTER_PROVIDER, INVOKE)
