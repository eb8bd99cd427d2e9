"""Queries that show something at once, and the load that the others need: a counter at rest has no rate."""

from math import ceil

from loom.contract import attributes as a
from loom.contract.metrics import event_bus
from loom.contract.promql import Expression, Queries
from loom.deploy.plan.model import Plan
from loom.deploy.plan.reduction import dropped

MODULE = "loom.examples.load"
RATE = 10
"""Events a second: a laptop does not notice them, and a quantile has something to work on."""
_VALUES = 3
"""Exports of a counter that grows; two make a rate, and one may come too late to be scraped."""


def counted(plan: Plan) -> Expression:
    """Events published so far, by topic where the collector leaves it: a number once one has arrived."""
    kept = a.TOPIC not in dropped(plan.profile, event_bus.PUBLISHED)
    return Queries(plan.naming).value(event_bus.PUBLISHED, (a.TOPIC.label,) if kept else ())


def rate(plan: Plan) -> Expression:
    """Events published per second."""
    return Queries(plan.naming).rate(event_bus.PUBLISHED)


def load(plan: Plan) -> str:
    """The command after which every rate of the documents has values."""
    metrics = plan.profile.metrics
    seconds = _VALUES * metrics.export_interval.seconds + metrics.scrape_interval.seconds
    return f"python -m {MODULE} --rate {RATE} --seconds {ceil(seconds)}"
