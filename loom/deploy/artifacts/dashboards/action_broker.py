"""The dashboard of the action broker."""

from loom.contract import attributes as a
from loom.contract import spans
from loom.contract.metrics import action_broker as m
from loom.deploy.artifacts.dashboards.limits import failures
from loom.deploy.artifacts.dashboards.model import Board, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, lines

TITLE = "Loom Action Broker"


def board(panels: Panels, objective: float) -> Board:
    """Traffic, errors, latency and state of the action broker."""
    return Board(
        "loom-action-broker",
        TITLE,
        "Invocations of capabilities: how many, how they end, how long they take, what the cache saves.",
        (_traffic(panels), _errors(panels, objective), _latency(panels), _slow(panels), _state(panels)),
    )


def _traffic(panels: Panels) -> Row:
    calls = Text("Invocations", "Invocations per second by how they ended; cache hits are included.")
    busiest = Text(
        "Most invoked capabilities", "The ten capabilities with the most calls in the shown range."
    )
    cached = Text(
        "Share answered by the cache",
        "Calls that replayed a finished successful result, or joined a call in flight, of all invocations.",
    )
    return Row(
        "Traffic",
        (
            panels.rate(calls, m.INVOCATIONS, a.CALL_STATUS),
            panels.top(busiest, m.INVOCATIONS, a.CAPABILITY),
            lines(cached, Unit.RATIO, Target(panels.share(m.CACHE_HITS, m.INVOCATIONS), "cached")),
        ),
    )


def _errors(panels: Panels, objective: float) -> Row:
    share = Text(
        "Share of invocations that fail",
        "Everything that did not end as ok. Red from the error budget on: the objective is being missed.",
    )
    codes = Text(
        "Errors by code",
        "Raised and returned errors, timeouts and capabilities that were not found, per second.",
    )
    worst = Text(
        "Capabilities with most errors", "The ten capabilities with the most errors in the shown range."
    )
    failing = Target(panels.failing(m.INVOCATIONS), "failed")
    return Row(
        "Errors",
        (
            lines(share, Unit.RATIO, failing).limits(*failures(objective)),
            panels.rate(codes, m.ERRORS, a.ERROR_CODE).without("No errors"),
            panels.top(worst, m.ERRORS, a.CAPABILITY).without("No errors"),
        ),
    )


def _latency(panels: Panels) -> Row:
    quantiles = Text(
        "Invoke latency",
        "Duration of executed calls; cache hits are not executed. Points are sampled traces: click one to "
        "open it in Jaeger.",
    )
    spread = Text(
        "Invoke latency, all calls",
        "Darker means more calls of that duration. A band at the top edge is a timeout.",
    )
    return Row(
        "Latency",
        (panels.quantiles(quantiles, m.INVOKE_LATENCY).wide(12), panels.spread(spread, m.INVOKE_LATENCY)),
    )


def _slow(panels: Panels) -> Row:
    service = Text(
        "p99 invoke latency by service", "Click a line to see the service's invoke spans in Jaeger."
    )
    slowest = Text("p99 invoke latency, slowest capabilities", "The ten slowest capabilities at each moment.")
    mean = Text(
        "Mean invoke latency by capability", "Far below the p99: a few calls are slow, not all of them."
    )
    return Row(
        "Where it is slow",
        (
            panels.traced(service, m.INVOKE_LATENCY, spans.action_broker.INVOKE),
            panels.slowest(slowest, m.INVOKE_LATENCY, a.CAPABILITY),
            panels.mean(mean, m.INVOKE_LATENCY, a.CAPABILITY),
        ),
    )


def _state(panels: Panels) -> Row:
    timeouts = Text(
        "Timeouts by capability",
        "Calls per second over their deadline: raise it, or mend the provider.",
    )
    registered = Text(
        "Registered capabilities",
        "Capabilities by what serves them. mcp falls when an MCP server is lost, and comes back with it.",
    )
    hits = Text("Cache hits by capability", "Calls per second that were answered without being executed.")
    return Row(
        "Deadlines, registry and cache",
        (
            panels.rate(timeouts, m.TIMEOUTS, a.CAPABILITY).without("No timeouts"),
            panels.level(registered, m.REGISTERED_CAPABILITIES, a.PROVIDER_TYPE),
            panels.rate(hits, m.CACHE_HITS, a.CAPABILITY).without("No cache hits"),
        ),
    )
