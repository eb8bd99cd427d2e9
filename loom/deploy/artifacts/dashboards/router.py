"""The dashboard of the router."""

from loom.contract import attributes as a
from loom.contract.metrics import router as m
from loom.contract.promql import binary, scalar
from loom.contract.series import Part
from loom.deploy.artifacts.dashboards.limits import more_than
from loom.deploy.artifacts.dashboards.model import Board, Row, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import Panels, legend, lines

TITLE = "Loom Router"
_SECONDS_PER_HOUR = 3600


def board(panels: Panels) -> Board:
    """Decisions, confidence, expected latency and cost of the router."""
    return Board(
        "loom-router",
        TITLE,
        "Where events are routed and why, how sure the router is, and what it expects of time and money.",
        (_decisions(panels), _confidence(panels), _latency(panels), _cost(panels)),
    )


def _decisions(panels: Panels) -> Row:
    routes = Text(
        "Decisions by route",
        "Decisions per second. LocalFallback, Defer and Drop are the routes of trouble.",
    )
    reasons = Text("Decisions by reason", "Decisions per second by the rule that decided.")
    violations = Text(
        "Policy violations",
        "Policies that no route could satisfy, per second. Privacy above zero is an incident.",
    )
    return Row(
        "Decisions",
        (
            panels.rate(routes, m.DECISIONS, a.ROUTE),
            panels.rate(reasons, m.DECISIONS, a.ROUTE_REASON),
            panels.rate(violations, m.POLICY_VIOLATIONS, a.POLICY_TYPE)
            .limits(*more_than(0.001))
            .without("No violations"),
        ),
    )


def _confidence(panels: Panels) -> Row:
    routes = Text("Routes", "How often each route was chosen over the shown range.")
    quantiles = Text(
        "Confidence of decisions",
        "The median, the 95th and the 99th percentile of the decisions' confidence.",
    )
    mean = Text("Mean confidence by route", "A fall means that the classifier no longer knows its input.")
    return Row(
        "Confidence",
        (
            panels.top(routes, m.DECISIONS, a.ROUTE),
            panels.quantiles(quantiles, m.CONFIDENCE),
            panels.mean(mean, m.CONFIDENCE, a.ROUTE),
        ),
    )


def _latency(panels: Panels) -> Row:
    quantiles = Text(
        "Estimated latency",
        "What the router expects the chosen routes to take. Compare with the invoke latency of the broker.",
    )
    mean = Text(
        "Mean estimated latency by route", "Local should be the fastest; if it is not, cloud is cheaper."
    )
    slowest = Text(
        "p99 estimated latency by route", "The slow end of what the router accepts for each route."
    )
    return Row(
        "Expected latency",
        (
            panels.quantiles(quantiles, m.ESTIMATED_LATENCY),
            panels.mean(mean, m.ESTIMATED_LATENCY, a.ROUTE),
            panels.slowest(slowest, m.ESTIMATED_LATENCY, a.ROUTE),
        ),
    )


def _cost(panels: Panels) -> Row:
    per_hour = Text("Estimated cost per hour", "What the decisions of now would cost in an hour, by route.")
    quantiles = Text(
        "Estimated cost of a decision",
        "The median and the expensive end of what a route is expected to cost.",
    )
    mean = Text("Mean estimated cost by route", "What one event costs on each route.")
    spent = panels.queries.rate_of(panels.queries.naming.series(m.ESTIMATED_COST, Part.SUM), (a.ROUTE.label,))
    hourly = Target(binary(spent, "*", scalar(_SECONDS_PER_HOUR)), legend(a.ROUTE.label))
    return Row(
        "Expected cost",
        (
            lines(per_hour, Unit.USD, hourly),
            panels.quantiles(quantiles, m.ESTIMATED_COST),
            panels.mean(mean, m.ESTIMATED_COST, a.ROUTE),
        ),
    )
