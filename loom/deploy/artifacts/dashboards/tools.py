"""The dashboard of the tool orchestrator and its model requests."""

from loom.contract import attributes as a
from loom.contract import spans
from loom.contract.metrics import gen_ai
from loom.contract.metrics import tool_orchestrator as m
from loom.contract.promql import Matcher, ratio
from loom.contract.series import Part
from loom.deploy.artifacts.dashboards.limits import failures
from loom.deploy.artifacts.dashboards.model import Board, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, legend, lines

TITLE = "Loom Tool Orchestrator"


def board(panels: Panels, objective: float) -> Board:
    """Runs, tool calls, model requests and tokens."""
    return Board(
        "loom-tools",
        TITLE,
        "What the model is asked, which tools it calls, how both perform, and how many tokens that takes.",
        (_runs(panels), _calls(panels, objective), _latency(panels), _models(panels), _tokens(panels)),
    )


def _runs(panels: Panels) -> Row:
    runs = Text("Runs by outcome", "Runs per second. tool_limit: the model never stopped calling tools.")
    cycles = Text(
        "Refine cycles per run", "How often a run goes back to the model with tool results, on average."
    )
    discovery = Text("Tool discovery latency", "Duration of listing the tools at the start of a run.")
    each = Target(ratio(panels.queries.rate(m.REFINE_CYCLES), panels.queries.rate(m.RUNS)), "cycles per run")
    return Row(
        "Runs",
        (
            panels.rate(runs, m.RUNS, a.RUN_OUTCOME),
            lines(cycles, Unit.COUNT, each),
            panels.quantiles(discovery, m.DISCOVERY_LATENCY),
        ),
    )


def _calls(panels: Panels, objective: float) -> Row:
    calls = Text("Tool calls by status", "Tool calls per second by how they ended.")
    share = Text("Share of tool calls that fail", "Everything that did not end as ok, of all tool calls.")
    busiest = Text("Most called tools", "The ten tools with the most calls over the shown range.")
    codes = Text("Tool errors by code", "Failed tool calls per second by error code.")
    worst = Text("Tools with most errors", "The ten tools with the most failed calls over the shown range.")
    slowest = Text("p99 tool latency, slowest tools", "The ten slowest tools at each moment.")
    failing = Target(panels.failing(m.TOOL_CALLS), "failed")
    return Row(
        "Tool calls",
        (
            panels.rate(calls, m.TOOL_CALLS, a.CALL_STATUS),
            lines(share, Unit.RATIO, failing).limits(*failures(objective)),
            panels.top(busiest, m.TOOL_CALLS, a.TOOL),
            panels.rate(codes, m.TOOL_ERRORS, a.ERROR_CODE).without("No errors"),
            panels.top(worst, m.TOOL_ERRORS, a.TOOL).without("No errors"),
            panels.slowest(slowest, m.TOOL_LATENCY, a.TOOL),
        ),
    )


def _latency(panels: Panels) -> Row:
    quantiles = Text(
        "Tool latency", "Duration of tool calls. Points are sampled traces: click one to open it in Jaeger."
    )
    spread = Text("Tool latency, all calls", "Darker means more calls of that duration.")
    return Row(
        "How long tools take",
        (panels.quantiles(quantiles, m.TOOL_LATENCY).wide(12), panels.spread(spread, m.TOOL_LATENCY)),
    )


def _models(panels: Panels) -> Row:
    llm = Text("Model latency", "Duration of model requests, planning and refining together.")
    phases = Text(
        "p99 model latency by phase", "plan: which tools to call. refine: what to answer with their results."
    )
    models = Text("p99 request duration by model", "The slow end of each model; compare before changing one.")
    service = Text(
        "p99 model latency by service", "Click a line to see the service's orchestrator runs in Jaeger."
    )
    errors = Text("Model errors", "Failed model requests per second by class of the error.")
    requests = Text("Requests by model", "Model requests per second.")
    return Row(
        "Model requests",
        (
            panels.quantiles(llm, m.LLM_LATENCY),
            panels.slowest(phases, m.LLM_LATENCY, a.PHASE),
            panels.slowest(models, gen_ai.OPERATION_DURATION, a.REQUEST_MODEL),
            panels.traced(service, m.LLM_LATENCY, spans.tool_orchestrator.RUN),
            panels.rate(requests, gen_ai.OPERATION_DURATION, a.REQUEST_MODEL),
            lines(errors, Unit.PER_SECOND, _failed(panels)).without("No errors"),
        ),
    )


def _failed(panels: Panels) -> Target:
    label = a.ERROR_TYPE.label
    failed = panels.queries.matching(Matcher(label, "!=", ""))
    return Target(failed.rate(gen_ai.OPERATION_DURATION, (label,)), legend(label))


def _tokens(panels: Panels) -> Row:
    used = Text(
        "Tokens by side", "Tokens per second; input is the prompt with its tool results, output the answer."
    )
    models = Text("Tokens by model", "Tokens per second by model: what the bill follows.")
    size = Text("Tokens per request", "The median and the large end of one request's tokens.")
    total = panels.queries.naming.series(gen_ai.TOKEN_USAGE, Part.SUM)
    sides, model = a.TOKEN_TYPE.label, a.REQUEST_MODEL.label
    return Row(
        "Tokens",
        (
            lines(
                used, Unit.TOKENS_PER_SECOND, Target(panels.queries.rate_of(total, (sides,)), legend(sides))
            ),
            lines(
                models, Unit.TOKENS_PER_SECOND, Target(panels.queries.rate_of(total, (model,)), legend(model))
            ),
            panels.quantiles(size, gen_ai.TOKEN_USAGE),
        ),
    )
