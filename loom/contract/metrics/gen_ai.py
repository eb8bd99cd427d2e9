"""Metrics of the OpenTelemetry GenAI conventions, recorded by the tool orchestrator."""

from loom.contract import attributes as a
from loom.contract import boundaries, scopes
from loom.contract.metric import Kind, Metric

_REQUEST = (a.OPERATION_NAME, a.PROVIDER_NAME, a.REQUEST_MODEL)

TOKEN_USAGE = Metric(
    "gen_ai.client.token.usage",
    Kind.HISTOGRAM,
    "{token}",
    "Tokens of every model response that reports its usage.",
    scopes.TOOL_ORCHESTRATOR,
    (*_REQUEST, a.TOKEN_TYPE),
    boundaries.TOKENS,
)
OPERATION_DURATION = Metric(
    "gen_ai.client.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Duration of every model request.",
    scopes.TOOL_ORCHESTRATOR,
    (*_REQUEST, a.ERROR_TYPE),
    boundaries.MODEL_SECONDS,
    conditional=(a.ERROR_TYPE,),
)

ALL = (TOKEN_USAGE, OPERATION_DURATION)
