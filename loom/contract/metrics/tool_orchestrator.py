"""Metrics of the tool orchestrator."""

from loom.contract import attributes as a
from loom.contract import boundaries, scopes
from loom.contract.metric import Kind, Metric

RUNS = Metric(
    "loom.tool_orchestrator.runs_total",
    Kind.COUNTER,
    "{run}",
    "Orchestrator runs by outcome.",
    scopes.TOOL_ORCHESTRATOR,
    (a.RUN_OUTCOME,),
    documented=True,
)
TOOL_CALLS = Metric(
    "loom.tool_orchestrator.tool_calls_total",
    Kind.COUNTER,
    "{call}",
    "Tool calls by how they ended.",
    scopes.TOOL_ORCHESTRATOR,
    (a.TOOL, a.CALL_STATUS),
    documented=True,
)
TOOL_ERRORS = Metric(
    "loom.tool_orchestrator.tool_errors_total",
    Kind.COUNTER,
    "{call}",
    "Tool calls that failed, by error code.",
    scopes.TOOL_ORCHESTRATOR,
    (a.TOOL, a.ERROR_CODE),
)
REFINE_CYCLES = Metric(
    "loom.tool_orchestrator.refine_cycles_total",
    Kind.COUNTER,
    "{cycle}",
    "Refine cycles completed.",
    scopes.TOOL_ORCHESTRATOR,
)
TOOL_LATENCY = Metric(
    "loom.tool_orchestrator.tool_latency",
    Kind.HISTOGRAM,
    "s",
    "Duration of a tool call.",
    scopes.TOOL_ORCHESTRATOR,
    (a.TOOL,),
    boundaries.CALL,
    documented=True,
)
DISCOVERY_LATENCY = Metric(
    "loom.tool_orchestrator.discovery_latency",
    Kind.HISTOGRAM,
    "s",
    "Duration of listing the tools of a run.",
    scopes.TOOL_ORCHESTRATOR,
    (),
    boundaries.DISCOVERY,
)
LLM_LATENCY = Metric(
    "loom.tool_orchestrator.llm_latency",
    Kind.HISTOGRAM,
    "s",
    "Duration of every model request.",
    scopes.TOOL_ORCHESTRATOR,
    (a.PHASE,),
    boundaries.MODEL_SECONDS,
)

ALL = (RUNS, TOOL_CALLS, TOOL_ERRORS, REFINE_CYCLES, TOOL_LATENCY, DISCOVERY_LATENCY, LLM_LATENCY)
