"""Alerts on MCP servers, tools, runs and models."""

from functools import partial

from loom.contract import attributes as a
from loom.contract import scopes
from loom.contract.metric import Metric
from loom.contract.metrics import mcp_manager, tool_orchestrator
from loom.contract.promql import Queries, above, binary, both, call, scalar
from loom.contract.recording import FAILURES, LEVEL, TOOL_CALLS
from loom.contract.resource import INSTANCE
from loom.contract.series import Part
from loom.deploy.artifacts.rules.alert import Alert, Severity
from loom.deploy.artifacts.rules.course import Course, counted, held
from loom.deploy.artifacts.rules.question import LEAST_CALLS, failing, increased, of, part_of, where
from loom.deploy.artifacts.rules.scene import Input, Kind, Proof, Scene, Stage, play
from loom.deploy.artifacts.rules.staging import STATED, Growth, Share
from loom.deploy.plan.model import Plan

TOOL_FAILED, RUN_FAILED = 0.25, 0.2
"""Shares of a tool's calls, and of runs, that may fail."""
SLOW_MODEL = 40.96
"""Seconds; a boundary of the histogram, since between two of them a quantile is a guess."""
SLOW_SHARE = 0.05
"""Share of the model's answers that may take longer."""
BREAKS = 5
"""Reconnections in half an hour that are no reason to look."""
_FAILED, _OK = where(a.ATTEMPT_OUTCOME, "failed"), where(a.ATTEMPT_OUTCOME, "ok")


def alerts(plan: Plan) -> tuple[Alert, ...]:
    """In the order of the components."""
    return (_server_down(plan), _flapping(plan), _tool(plan), _runs(plan), _slow_model(plan))


def _server_down(plan: Plan) -> Alert:
    by = (*LEVEL, INSTANCE, a.SERVER.label)
    gone = binary(Queries(plan.naming).value(mcp_manager.TOOLS_REGISTERED, by), "==", scalar(0))
    # Attempts go on for ever for a server that is wanted; one that was removed, or never added, has none.
    trying = above(Queries(plan.naming, (_FAILED,), "10m").increase(mcp_manager.RECONNECTIONS, by), 0)
    return Alert(
        "LoomMcpServerDown",
        both(trying, gone),
        "2m",
        Severity.CRITICAL,
        scopes.MCP_MANAGER,
        "MCP server {{ $labels.server }} is gone and does not come back",
        "{{ $value | humanize }} attempts to reconnect failed in ten minutes; it has no tool registered.",
        Proof(
            (
                _server(plan, "attempts begin and end", held((0, 50)), counted((0, 12), (0.09, 10), (0, 27))),
                _server(plan, "it fails, and has its tools", held((3, 50)), counted((1, 49))),
                _server(plan, "removed on purpose", held((0, 50)), counted((0, 49))),
                _server(plan, "every attempt succeeds", held((0, 50)), counted((1, 49)), "ok"),
            ),
            STATED,
        ),
    )


def _server(plan: Plan, about: str, tools: Course, attempts: Course, outcome: str = "failed") -> Scene:
    def truth(minute: int) -> bool:
        return outcome == "failed" and tools.at(minute) == 0 and attempts.increase(minute, 10) > 0

    inputs = (
        of(plan, mcp_manager.RECONNECTIONS, attempts, server="files", outcome=outcome),
        of(plan, mcp_manager.TOOLS_REGISTERED, tools, server="files"),
    )
    kind = Kind.FIRES if any(truth(minute) for minute in range(50)) else Kind.QUIET
    return play(kind, about, inputs, Stage(truth, 2, 49))


def _flapping(plan: Plan) -> Alert:
    def returns(course: Course) -> tuple[Input, ...]:
        failed = counted((1, len(course) - 1))
        return (
            of(plan, mcp_manager.RECONNECTIONS, course, server="files", outcome="ok"),
            of(plan, mcp_manager.RECONNECTIONS, failed, server="files", outcome="failed"),
        )

    return Alert(
        "LoomMcpServerFlapping",
        above(increased(plan, mcp_manager.RECONNECTIONS, "30m", (a.SERVER.label,), _OK), BREAKS),
        "0m",
        Severity.WARNING,
        scopes.MCP_MANAGER,
        "MCP server {{ $labels.server }} keeps breaking off",
        "It came back {{ $value | humanize }} times in thirty minutes.",
        Growth(BREAKS, "30m", "0m", returns).proof(),
    )


def _calls(
    plan: Plan, metric: Metric, labels: dict[str, tuple[str, str]], *courses: Course
) -> tuple[Input, ...]:
    """What failed and what did not; each label has its value for either."""
    return tuple(
        of(plan, metric, course, **{name: values[number] for name, values in labels.items()})
        for number, course in enumerate(courses)
    )


def _tool(plan: Plan) -> Alert:
    labels = {"tool": ("files:read", "files:read"), "status": ("error", "ok")}
    inputs = partial(_calls, plan, tool_orchestrator.TOOL_CALLS, labels)
    return Alert(
        "LoomToolFailing",
        failing(plan, TOOL_CALLS, TOOL_FAILED, "15m", (a.TOOL.label,)),
        "5m",
        Severity.WARNING,
        scopes.TOOL_ORCHESTRATOR,
        "Tool {{ $labels.tool }} fails",
        "{{ $value | humanizePercentage }} of its calls failed in fifteen minutes.",
        Share(TOOL_FAILED, "15m", "5m", LEAST_CALLS, inputs).proof(),
    )


def _runs(plan: Plan) -> Alert:
    failure = next(one for one in FAILURES if one.metric is tool_orchestrator.RUNS)
    labels = {"outcome": ("tool_limit", "answered")}
    inputs = partial(_calls, plan, tool_orchestrator.RUNS, labels)
    return Alert(
        "LoomRunsFailing",
        failing(plan, failure, RUN_FAILED, "15m"),
        "5m",
        Severity.WARNING,
        scopes.TOOL_ORCHESTRATOR,
        "Orchestrator runs of {{ $labels.job }} end without an answer",
        "{{ $value | humanizePercentage }} of the runs gave no answer in fifteen minutes.",
        Share(RUN_FAILED, "15m", "5m", LEAST_CALLS, inputs).proof(),
    )


def _slow_model(plan: Plan) -> Alert:
    queries, metric = Queries(plan.naming, window="15m"), tool_orchestrator.LLM_LATENCY
    enough = above(queries.increase(metric, LEVEL), LEAST_CALLS)
    rates = queries.rate_of(plan.naming.series(metric, Part.BUCKET), (*LEVEL, "le"))
    quantile = call("histogram_quantile", rates, 1 - SLOW_SHARE, drop=("le",))

    def requests(slow: Course, fast: Course) -> tuple[Input, ...]:
        buckets = {f"{SLOW_MODEL:g}": fast, "81.92": fast + slow, "+Inf": fast + slow}
        return (
            *(
                part_of(plan, metric, Part.BUCKET, course, phase="plan", le=le)
                for le, course in buckets.items()
            ),
            part_of(plan, metric, Part.COUNT, fast + slow, phase="plan"),
        )

    return Alert(
        "LoomModelSlow",
        both(above(quantile, SLOW_MODEL), enough),
        "10m",
        Severity.WARNING,
        scopes.TOOL_ORCHESTRATOR,
        "The model answers {{ $labels.job }} slowly",
        "One model request in twenty took longer than {{ $value | humanizeDuration }} in fifteen minutes.",
        Share(SLOW_SHARE, "15m", "10m", LEAST_CALLS, requests).proof(),
    )
