"""Thresholds: from which value a panel turns yellow, then red. Seconds unless said otherwise.

Those on latencies are bucket boundaries of their metric: between two boundaries a quantile is a guess.
"""

from loom.contract.metric import Metric
from loom.contract.metrics import action_broker, agent, event_bus, gen_ai, tool_orchestrator
from loom.deploy.artifacts.dashboards.model import Step

WARNING, CRITICAL, FINE = "yellow", "red", "green"

LATENCIES: dict[Metric, tuple[float, float]] = {
    event_bus.PUBLISH_LATENCY: (0.01, 0.1),
    action_broker.INVOKE_LATENCY: (1.0, 10.0),
    agent.EVENT_LATENCY: (5.0, 30.0),
    tool_orchestrator.TOOL_LATENCY: (1.0, 10.0),
    tool_orchestrator.DISCOVERY_LATENCY: (0.1, 1.0),
    tool_orchestrator.LLM_LATENCY: (10.24, 40.96),
    gen_ai.OPERATION_DURATION: (10.24, 40.96),
}
"""Where the 99th percentile becomes slow, and where it becomes a problem."""


def latency(metric: Metric) -> tuple[Step, ...]:
    """Steps for a latency; none for a metric that has no limits of its own."""
    if metric not in LATENCIES:
        return ()
    slow, problem = LATENCIES[metric]
    return Step(slow, WARNING), Step(problem, CRITICAL)


def success(objective: float) -> tuple[Step, ...]:
    """Steps for a share of successes: red below the objective, yellow with half of the budget spent."""
    half = 1 - (1 - objective) / 2
    return Step(0, CRITICAL), Step(objective, WARNING), Step(round(half, 6), FINE)


def failures(objective: float) -> tuple[Step, ...]:
    """Steps for a share of failures: the other side of `success`."""
    budget = round(1 - objective, 6)
    return Step(round(budget / 2, 6), WARNING), Step(budget, CRITICAL)


def more_than(*values: float) -> tuple[Step, ...]:
    """Yellow from the first value on, red from the second; red from the only one."""
    colors = (WARNING, CRITICAL) if len(values) > 1 else (CRITICAL,)
    return tuple(Step(value, color) for value, color in zip(values, colors, strict=True))


def at_least(value: float) -> tuple[Step, ...]:
    """Red below the value, green from it on."""
    return Step(0, CRITICAL), Step(value, FINE)
