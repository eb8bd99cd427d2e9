"""The dashboard of the agent runtime and its agents."""

from loom.contract import attributes as a
from loom.contract import spans
from loom.contract.metrics import agent as m
from loom.contract.metrics import agent_runtime as runtime
from loom.deploy.artifacts.dashboards.limits import failures
from loom.deploy.artifacts.dashboards.model import Board, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, lines

TITLE = "Loom Agents"


def board(panels: Panels, objective: float) -> Board:
    """Population, work, failures and latency of the agents."""
    return Board(
        "loom-agents",
        TITLE,
        "How many agents there are, what they do with their events, and how long they take.",
        (_population(panels), _work(panels), _failures(panels, objective), _latency(panels), _slow(panels)),
    )


def _population(panels: Panels) -> Row:
    active = Text(
        "Active agents", "Agents that exist now. A fall without a deployment means that agents crashed."
    )
    turnover = Text(
        "Agents created and deleted", "Agents per second. Both lines high: something creates them in a loop."
    )
    subscriptions = Text(
        "Subscriptions made and ended", "Topics that agents subscribed to and left, per second."
    )
    return Row(
        "Population",
        (
            panels.level(active, runtime.AGENTS_ACTIVE),
            panels.rates(turnover, created=runtime.AGENTS_CREATED, deleted=runtime.AGENTS_DELETED),
            panels.rates(subscriptions, made=runtime.SUBSCRIPTIONS, ended=runtime.UNSUBSCRIPTIONS),
        ),
    )


def _work(panels: Panels) -> Row:
    events = Text(
        "Events by outcome",
        "Events per second that agents took from their mailboxes, by what became of them.",
    )
    types = Text("Busiest agent types", "The ten agent types with the most events over the shown range.")
    actions = Text("Actions by type", "Actions per second that agents asked for.")
    return Row(
        "Work",
        (
            panels.rate(events, m.EVENTS_PROCESSED, a.EVENT_OUTCOME),
            panels.top(types, m.EVENTS_PROCESSED, a.AGENT_TYPE),
            panels.rate(actions, m.ACTIONS_EXECUTED, a.ACTION_TYPE),
        ),
    )


def _failures(panels: Panels, objective: float) -> Row:
    events = Text(
        "Share of events that fail",
        "Events that ended as error, of all; expired, deferred and dropped ones were not handled badly.",
    )
    actions = Text("Actions by status", "Actions per second by how they ended.")
    routes = Text("Routing decisions", "Routes per second that were chosen for the agents' events.")
    failing = Target(panels.failing(m.EVENTS_PROCESSED), "failed")
    return Row(
        "Failures and routes",
        (
            lines(events, Unit.RATIO, failing).limits(*failures(objective)),
            panels.rate(actions, m.ACTIONS_EXECUTED, a.CALL_STATUS),
            panels.rate(routes, m.ROUTING_DECISIONS, a.ROUTE),
        ),
    )


def _latency(panels: Panels) -> Row:
    quantiles = Text(
        "Event latency",
        "From taking an event to having handled it, its actions included. Points are sampled traces: click "
        "one to open it in Jaeger.",
    )
    spread = Text("Event latency, all events", "Darker means more events of that duration.")
    return Row(
        "Latency",
        (panels.quantiles(quantiles, m.EVENT_LATENCY).wide(12), panels.spread(spread, m.EVENT_LATENCY)),
    )


def _slow(panels: Panels) -> Row:
    service = Text("p99 event latency by service", "Click a line to see the service's run spans in Jaeger.")
    slowest = Text("p99 event latency, slowest agent types", "The ten slowest agent types at each moment.")
    routes = Text(
        "Routes by agent type", "How often each agent type's events were routed, over the shown range."
    )
    return Row(
        "Where it is slow",
        (
            panels.traced(service, m.EVENT_LATENCY, spans.agent.RUN),
            panels.slowest(slowest, m.EVENT_LATENCY, a.AGENT_TYPE),
            panels.top(routes, m.ROUTING_DECISIONS, a.AGENT_TYPE),
        ),
    )
