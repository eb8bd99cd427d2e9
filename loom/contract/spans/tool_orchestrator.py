"""Spans of the tool orchestrator."""

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.span import Span, SpanKind

RUN = Span(
    "run",
    scopes.TOOL_ORCHESTRATOR,
    SpanKind.INTERNAL,
    "One orchestrator run, from the question to the answer.",
    (a.RUN_ID, a.TOOL_CHOICE, a.TOOLS, a.RUN_OUTCOME),
    optional=(a.ERROR_CODE,),
)
CHAT = Span(
    "chat",
    scopes.TOOL_ORCHESTRATOR,
    SpanKind.CLIENT,
    "One model request.",
    (a.OPERATION_NAME, a.PROVIDER_NAME, a.REQUEST_MODEL),
    optional=(a.INPUT_TOKENS, a.OUTPUT_TOKENS, a.INPUT_MESSAGES, a.OUTPUT_MESSAGES),
    parents=(RUN.key,),
    suffix=a.REQUEST_MODEL,
)
EXECUTE_TOOL = Span(
    "execute_tool",
    scopes.TOOL_ORCHESTRATOR,
    SpanKind.INTERNAL,
    "One tool call that the model asked for.",
    (a.TOOL_NAME, a.CALL_ID, a.CALL_STATUS),
    optional=(a.ERROR_CODE, a.TOOL_ARGUMENTS, a.TOOL_RESULT),
    parents=(RUN.key,),
    suffix=a.TOOL_NAME,
)

ALL = (RUN, CHAT, EXECUTE_TOOL)
