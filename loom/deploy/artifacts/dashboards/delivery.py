"""The row of the canary: how old the newest arrival is, how long one takes, when certificates end."""

from loom.contract import canary as c
from loom.contract.promql import Expression, Queries, binary, now
from loom.deploy.artifacts.dashboards.limits import CRITICAL, FINE, more_than
from loom.deploy.artifacts.dashboards.model import Row, Step, Target, Text, Unit
from loom.deploy.artifacts.dashboards.panel import legend, lines

_SIGNAL, _STAGE, _IDENTITY = "signal", "stage", "identity"
_ROUNDS = 3
"""Rounds of the canary that may be missing before it is a problem; one may be slow."""
_WEEK, _CENTURY = 7 * 24 * 3600, 100 * 365 * 24 * 3600
"""Seconds. Below the first step a panel is green, and what has ended long ago must not be."""


def row(q: Queries, interval: float) -> Row:
    """`interval`: seconds between two rounds of the canary."""
    age = Text(
        "Age of the newest arrival",
        "Since when nothing has arrived, for each signal: sent through the ingress and found in its store. A "
        "saw-tooth of one round is health; a slope means that telemetry is lost, or late.",
    )
    took = Text("Round trip", "From sending to finding, of the newest arrival.")
    failed = Text(
        "Rounds that failed",
        "Per second. send: the ingress did not acknowledge it. lookup: it did, but the store has nothing.",
    )
    ends = Text(
        "Certificates end in",
        "Those that ports really present, and the canary's own; red in their last week.",
    )
    steps = more_than((_ROUNDS - 1) * interval, _ROUNDS * interval)
    panels = (
        lines(age, Unit.SECONDS, Target(_age(q), legend(_SIGNAL))).limits(*steps),
        lines(took, Unit.SECONDS, Target(q.value_of(c.ROUND_TRIP, (_SIGNAL,), "max"), legend(_SIGNAL))),
        lines(
            failed,
            Unit.PER_SECOND,
            Target(q.rate_of(c.FAILURES, (_SIGNAL, _STAGE)), legend(_SIGNAL, _STAGE)),
        ),
        lines(ends, Unit.SECONDS, Target(_left(q), legend(_IDENTITY))).limits(
            Step(-_CENTURY, CRITICAL), Step(_WEEK, FINE)
        ),
    )
    return Row("Delivery", tuple(panel.wide(6).without("No canary") for panel in panels))


def _age(q: Queries) -> Expression:
    return binary(now(), "-", q.value_of(c.LAST_SUCCESS, (_SIGNAL,), "max"))


def _left(q: Queries) -> Expression:
    return binary(q.value_of(c.CERTIFICATE_EXPIRY, (_IDENTITY,), "min"), "-", now())
