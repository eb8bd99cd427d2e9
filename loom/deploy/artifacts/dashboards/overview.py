"""The overview: what to look at first, at three in the morning."""

from loom.contract import attributes as a
from loom.contract import foreign
from loom.contract.metrics import (
    action_broker,
    agent,
    agent_runtime,
    event_bus,
    gen_ai,
    mcp_manager,
    router,
    telemetry,
    tool_orchestrator,
)
from loom.contract.promql import Matcher, ratio, zero_unless
from loom.contract.series import Part
from loom.deploy.artifacts.dashboards.layout import COLUMNS
from loom.deploy.artifacts.dashboards.limits import at_least, failures, latency, more_than, success
from loom.deploy.artifacts.dashboards.model import Board, Panel, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, legend, lines, stat, valued
from loom.deploy.artifacts.rules.alert import Severity

TITLE = "Loom Overview"
_ALERT = ("alertname", "severity")


def board(panels: Panels, objective: float) -> Board:
    """Health in one line, then alerts, traffic, latency, errors, saturation."""
    return Board(
        "loom-overview",
        TITLE,
        "Is Loom healthy? The first line answers; green everywhere means yes. Each line below asks one more "
        "question; the other dashboards (menu at the top) go into one component each.",
        (
            _health(panels, objective),
            _alerts(panels),
            _traffic(panels),
            _latency(panels),
            _errors(panels, objective),
            _work(panels),
        ),
    )


def _health(panels: Panels, objective: float) -> Row:
    return Row(
        "Is it healthy?",
        (
            _success(panels, objective),
            _slowness(panels),
            _drops(panels),
            _backlog(panels),
            _agents(panels),
            _servers(panels),
            _spans(panels),
            _targets(panels),
        ),
        height=4,
    )


def _success(panels: Panels, objective: float) -> Panel:
    text = Text(
        "Success",
        "Share of invocations that ended as ok, over the last minutes. Red below the objective: see the "
        "Action Broker dashboard, errors by code.",
    )
    fine = panels.recent.matching(valued(a.CALL_STATUS, "=", "ok"))
    share = ratio(fine.rate(action_broker.INVOCATIONS), panels.recent.rate(action_broker.INVOCATIONS))
    return stat(text, Unit.RATIO, Target(share, "success"), steps=success(objective))


def _slowness(panels: Panels) -> Panel:
    text = Text("p99 invoke", "One call in a hundred takes longer, over the last minutes.")
    quantile = panels.recent.quantile(0.99, action_broker.INVOKE_LATENCY)
    return stat(text, Unit.SECONDS, Target(quantile, "p99"), steps=latency(action_broker.INVOKE_LATENCY))


def _drops(panels: Panels) -> Panel:
    text = Text(
        "Events dropped",
        "Events per second that were lost, over the last minutes. See the Event Bus dashboard, by reason.",
    )
    lost = zero_unless(panels.recent.rate(event_bus.DROPPED))
    return stat(text, Unit.EVENTS_PER_SECOND, Target(lost, "dropped"), steps=more_than(0.001, 1))


def _backlog(panels: Panels) -> Panel:
    text = Text(
        "Backlog", "Events queued and not yet taken. Growing: subscribers are slower than publishers."
    )
    waiting = panels.queries.value(event_bus.BACKLOG)
    return stat(text, Unit.COUNT, Target(waiting, "backlog"), steps=more_than(100, 1000)).without("None")


def _agents(panels: Panels) -> Panel:
    text = Text("Agents", "Agents that exist now. Nothing reported: no Loom process sends metrics.")
    active = panels.queries.value(agent_runtime.AGENTS_ACTIVE)
    return stat(text, Unit.COUNT, Target(active, "agents")).without("Nothing reported")


def _servers(panels: Panels) -> Panel:
    text = Text("MCP servers", "MCP servers connected now. Fewer than you configured: see the MCP dashboard.")
    active = panels.queries.value(mcp_manager.SERVERS_ACTIVE)
    return stat(text, Unit.COUNT, Target(active, "servers")).without("None")


def _spans(panels: Panels) -> Panel:
    text = Text(
        "Spans lost",
        "Spans per second that never reached the collector: traces have gaps. See the Pipeline dashboard.",
    )
    lost = zero_unless(panels.recent.rate(telemetry.SPANS_LOST))
    return stat(text, Unit.PER_SECOND, Target(lost, "lost"), steps=more_than(0.001))


def _targets(panels: Panels) -> Panel:
    text = Text(
        "Targets up",
        "Share of the scrape targets that answer Prometheus. Below 100 %: some of the numbers here are old "
        "or missing; see the Pipeline dashboard.",
    )
    share = panels.plain.value_of(foreign.UP, operation="avg")
    return stat(text, Unit.RATIO, Target(share, "up"), steps=at_least(1)).without("No targets")


def _alerts(panels: Panels) -> Row:
    text = Text(
        "Firing alerts",
        "Alerts that fire now, the heartbeat left out; each links to its runbook in Alertmanager.",
    )
    serious = Matcher("severity", "!=", Severity.NONE)
    firing = panels.plain.where(alertstate="firing").matching(serious)
    target = Target(firing.value_of(foreign.ALERTS, _ALERT, "max"), legend(*_ALERT))
    shown = stat(text, Unit.COUNT, target, steps=more_than(1)).wide(COLUMNS)
    return Row("What is alerting?", (shown.named().without("None"),), height=3)


def _traffic(panels: Panels) -> Row:
    events = Text("Events", "Published, delivered and dropped per second. Dropped above zero is loss.")
    calls = Text("Invocations", "Capability invocations per second by how they ended.")
    handled = Text("Agent events", "Events per second that agents took, by what became of them.")
    return Row(
        "How much is going on?",
        (
            panels.rates(
                events,
                published=event_bus.PUBLISHED,
                delivered=event_bus.DELIVERED,
                dropped=event_bus.DROPPED,
            ),
            panels.rate(calls, action_broker.INVOCATIONS, a.CALL_STATUS),
            panels.rate(handled, agent.EVENTS_PROCESSED, a.EVENT_OUTCOME),
        ),
    )


def _latency(panels: Panels) -> Row:
    publish = Text("Publish latency", "Points are sampled traces: click one to open it in Jaeger.")
    invoke = Text("Invoke latency", "Points are sampled traces: click one to open it in Jaeger.")
    handle = Text("Agent event latency", "From taking an event to having handled it, actions included.")
    model = Text("Model latency", "Duration of model requests: usually the largest part of the others.")
    return Row(
        "How long does it take?",
        (
            panels.quantiles(publish, event_bus.PUBLISH_LATENCY).wide(6),
            panels.quantiles(invoke, action_broker.INVOKE_LATENCY).wide(6),
            panels.quantiles(handle, agent.EVENT_LATENCY).wide(6),
            panels.quantiles(model, tool_orchestrator.LLM_LATENCY).wide(6),
        ),
    )


def _errors(panels: Panels, objective: float) -> Row:
    share = Text(
        "Share that fails", "Invocations, agent events, tool calls and runs that did not end well, of all."
    )
    worst = Text(
        "Capabilities with most errors", "The ten capabilities with the most errors in the shown range."
    )
    drops = Text("Events dropped by reason", "queue_full and backpressure: a subscriber is too slow.")
    targets = (
        Target(panels.failing(action_broker.INVOCATIONS), "invocations"),
        Target(panels.failing(agent.EVENTS_PROCESSED), "agent events"),
        Target(panels.failing(tool_orchestrator.TOOL_CALLS), "tool calls"),
        Target(panels.failing(tool_orchestrator.RUNS), "orchestrator runs"),
    )
    return Row(
        "What goes wrong?",
        (
            lines(share, Unit.RATIO, *targets).limits(*failures(objective)),
            panels.top(worst, action_broker.ERRORS, a.CAPABILITY).without("No errors"),
            panels.rate(drops, event_bus.DROPPED, a.DROP_REASON).without("Nothing dropped"),
        ),
    )


def _work(panels: Panels) -> Row:
    backlog = Text("Largest backlogs", "The ten topics with the most waiting events now.")
    routes = Text("Routing decisions", "Decisions per second by route.")
    tokens = Text("Tokens", "Tokens per second, by side of the request: what the bill follows.")
    side = a.TOKEN_TYPE.label
    used = panels.queries.rate_of(panels.queries.naming.series(gen_ai.TOKEN_USAGE, Part.SUM), (side,))
    return Row(
        "Where does the work go?",
        (
            panels.highest(backlog, event_bus.BACKLOG, a.TOPIC).limits(*more_than(100, 1000)),
            panels.rate(routes, router.DECISIONS, a.ROUTE),
            lines(tokens, Unit.TOKENS_PER_SECOND, Target(used, legend(side))),
        ),
    )
