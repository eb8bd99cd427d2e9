"""Metrics of the router."""

from loom.contract import attributes as a
from loom.contract import boundaries, scopes
from loom.contract.metric import Kind, Metric

DECISIONS = Metric(
    "loom.router.decisions_total",
    Kind.COUNTER,
    "{decision}",
    "Routing decisions by route and by the code of the rule that decided.",
    scopes.ROUTER,
    (a.ROUTE, a.ROUTE_REASON),
    documented=True,
)
CONFIDENCE = Metric(
    "loom.router.confidence",
    Kind.HISTOGRAM,
    "1",
    "Confidence of the decisions, 0 to 1.",
    scopes.ROUTER,
    (a.ROUTE,),
    boundaries.CONFIDENCE,
    documented=True,
)
ESTIMATED_LATENCY = Metric(
    "loom.router.estimated_latency",
    Kind.HISTOGRAM,
    "s",
    "Latency that the router expects of the chosen route.",
    scopes.ROUTER,
    (a.ROUTE,),
    boundaries.ESTIMATE,
    documented=True,
)
ESTIMATED_COST = Metric(
    "loom.router.estimated_cost",
    Kind.HISTOGRAM,
    "{USD}",
    "Cost that the router expects of the chosen route.",
    scopes.ROUTER,
    (a.ROUTE,),
    boundaries.COST,
    documented=True,
)
POLICY_VIOLATIONS = Metric(
    "loom.router.policy_violations_total",
    Kind.COUNTER,
    "{violation}",
    "Policies that no route could satisfy.",
    scopes.ROUTER,
    (a.POLICY_TYPE,),
    documented=True,
)

ALL = (DECISIONS, CONFIDENCE, ESTIMATED_LATENCY, ESTIMATED_COST, POLICY_VIOLATIONS)
