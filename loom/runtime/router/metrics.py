"""What the router counts: found once for each different decision, not once for each event."""

from bisect import bisect_left

from loom.contract import attributes as a
from loom.contract.metrics import router as m
from loom.runtime.router.decision import Decision
from loom.runtime.router.policy import Policy
from loom.telemetry import Telemetry
from loom.telemetry.family import NANOSECONDS
from loom.telemetry.tally import Distribution, Tally


class Verdict:
    """A decision, the policy it was made by, and where it is counted."""

    __slots__ = ("_decisions", "_estimates", "_violations", "decision", "described", "policy")

    def __init__(self, decision: Decision, policy: Policy, metrics: "RouterMetrics") -> None:
        """Find its series."""
        route = decision.route
        self.decision = decision
        self.policy = policy
        self.described = _describe(decision)
        """What a span says of it."""
        self._decisions: Tally = metrics.decisions.series(route, decision.reason)
        self._violations = [metrics.violations.series(broken) for broken in sorted(decision.violations)]
        self._estimates = [
            _place(metrics.confidence.series(route), decision.confidence),
            _place(metrics.latency.series(route), round(decision.latency * NANOSECONDS)),
            _place(metrics.cost.series(route), decision.cost),
        ]

    def count(self) -> None:
        """One more decision like this. An estimate is no measurement, so it carries no exemplar."""
        self._decisions.n += 1
        for distribution, bucket, value in self._estimates:
            distribution.counts[bucket] += 1  # Distribution.add, written out: the bucket is always the same
            distribution.total += value
        for violations in self._violations:
            violations.n += 1


def _describe(decision: Decision) -> dict[str, str | float]:
    return {
        a.ROUTE.name: decision.route.value,
        a.ROUTE_REASON.name: decision.reason.value,
        a.CONFIDENCE.name: float(decision.confidence),
        a.ESTIMATED_LATENCY.name: float(decision.latency),
        a.ESTIMATED_COST.name: float(decision.cost),
    }


def _place(distribution: Distribution, value: float) -> tuple[Distribution, int, float]:
    return distribution, bisect_left(distribution.bounds, value), value


class RouterMetrics:
    """The families of the router."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Make them from the contract."""
        self.decisions = telemetry.counter(m.DECISIONS)
        self.confidence = telemetry.histogram(m.CONFIDENCE)
        self.latency = telemetry.histogram(m.ESTIMATED_LATENCY)
        self.cost = telemetry.histogram(m.ESTIMATED_COST)
        self.violations = telemetry.counter(m.POLICY_VIOLATIONS)
