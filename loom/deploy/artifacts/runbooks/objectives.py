"""Runbooks of the objectives: an error budget that burns too fast."""

from collections.abc import Callable
from dataclasses import dataclass

from loom.contract import attributes as a
from loom.contract import canary
from loom.contract.metrics import action_broker, event_bus, tool_orchestrator
from loom.contract.objective import FAMILIES
from loom.contract.recording import INVOCATIONS, TOOL_CALLS
from loom.contract.spans.action_broker import INVOKE
from loom.deploy.artifacts.runbooks.runbook import Ask, Runbook, Step

_CAPABILITY, _TOOL = a.CAPABILITY.label, a.TOOL.label
_LEFT = FAMILIES[-1]


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is the same for both paces of one objective."""

    failing: str
    """What happens too often, as a sentence without its end."""
    impact: str
    remedy: str
    steps: Callable[[Ask], tuple[Step, ...]]


def _delivery(ask: Ask) -> tuple[Step, ...]:
    return (
        ask.rate(
            "why events are dropped, and in which topics",
            event_bus.DROPPED,
            a.TOPIC.label,
            a.DROP_REASON.label,
        ),
        ask.value("what waits", event_bus.BACKLOG, a.TOPIC.label),
    )


def _success(ask: Ask) -> tuple[Step, ...]:
    return (
        ask.failed(
            "which capabilities fail, and how",
            action_broker.INVOCATIONS,
            INVOCATIONS.matcher,
            _CAPABILITY,
            a.CALL_STATUS.label,
        ),
        ask.rate("their error codes", action_broker.ERRORS, _CAPABILITY, a.ERROR_CODE.label),
        ask.traces("failed invocations", INVOKE, error="true"),
    )


def _latency(ask: Ask) -> tuple[Step, ...]:
    return (
        ask.quantile("which capabilities are slow", action_broker.INVOKE_LATENCY, 0.99, _CAPABILITY),
        ask.rate("which run into their deadline", action_broker.TIMEOUTS, _CAPABILITY),
        ask.traces("slow invocations", INVOKE, "minDuration=1s"),
    )


def _tools(ask: Ask) -> tuple[Step, ...]:
    calls, status = tool_orchestrator.TOOL_CALLS, TOOL_CALLS.attribute.label
    return (
        ask.failed("which tools fail, and how", calls, TOOL_CALLS.matcher, _TOOL, status),
        ask.rate("their error codes", tool_orchestrator.TOOL_ERRORS, _TOOL, a.ERROR_CODE.label),
    )


def _freshness(ask: Ask) -> tuple[Step, ...]:
    return (
        ask.foreign("where rounds of the canary fail", canary.FAILURES, "signal", "stage"),
        ask.foreign("when the newest arrival had been sent", canary.LAST_SUCCESS),
        ask.shell("the one thing that is broken", "loom-deploy doctor --profile prod"),
    )


_SUBJECTS = {
    "Delivery": _Subject(
        "Events are dropped instead of being delivered",
        "Agents never hear of what happened; nothing repeats it.",
        "As for [LoomEventsDropped](./LoomEventsDropped.md): make the subscriber faster, its queue larger, or"
        " subscribe with a quality of service that waits.",
        _delivery,
    ),
    "InvokeSuccess": _Subject(
        "Invocations of capabilities fail",
        "Agents do not get done what they were asked to.",
        "Unregister or replace the failing provider, or roll back what changed last. Timeouts: see"
        " [LoomInvocationTimeouts](./LoomInvocationTimeouts.md). MCP tools: see"
        " [LoomMcpServerDown](./LoomMcpServerDown.md).",
        _success,
    ),
    "InvokeLatency": _Subject(
        "Invocations take longer than the objective allows",
        "Agents answer late; behind them queues grow.",
        "Look at one slow trace: the longest span below `invoke` names who is slow. Give the provider more"
        " room, or send less. A threshold that is too strict is changed in the profile,"
        " `alerting.slo.invoke_latency.threshold`.",
        _latency,
    ),
    "ToolSuccess": _Subject(
        "Tool calls of the orchestrator fail",
        "Models get errors for answers, and runs end without a result.",
        "As for [LoomToolFailing](./LoomToolFailing.md): the error code says whether the tool, its server"
        " or the"
        " arguments are wrong.",
        _tools,
    ),
    "Freshness": _Subject(
        "What the canary sends arrives late, or not at all",
        "Dashboards and alerts look at the past; what Loom sends may be lost.",
        "As for [CanaryMissing](./CanaryMissing.md). As long as nothing is known of half of the long window,"
        " as after a first start, that one speaks alone.",
        _freshness,
    ),
}


def _book() -> dict[str, Runbook]:
    found = {}
    for name, subject in _SUBJECTS.items():
        steps = _steps(name, subject)
        found[f"Loom{name}BudgetBurnFast"] = Runbook(
            f"{subject.failing}, so often that the error budget of the objective is gone within days. A"
            f" long and"
            " a short window agree: it matters, and it goes on.",
            subject.impact,
            subject.remedy,
            steps,
        )
        found[f"Loom{name}BudgetBurnSlow"] = Runbook(
            f"{subject.failing}, a little too often and for a long time: the error budget will not last"
            f" for its"
            " window.",
            "Nobody notices at once; at the end of the window the objective is missed.",
            f"Find the few that make most of it and mend those. {subject.remedy} If the objective itself"
            f" is wrong,"
            " change it in the profile.",
            steps,
        )
    return found


def _steps(name: str, subject: _Subject) -> Callable[[Ask], tuple[Step, ...]]:
    slo = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    return lambda ask: (
        ask.foreign("what is left of the budget, 1 is all of it", _LEFT, slo=slo),
        *subject.steps(ask),
    )


BOOK = _book()
