"""The decision: one pure function from what is asked, allowed and available to exactly one route."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from loom.runtime.router.landscape import Endpoint, Landscape, Model
from loom.runtime.router.policy import Policy, Privacy

HYBRID_FLOOR = 0.5
"""Above this confidence a local answer is worth giving at once and refining in the cloud."""


class Route(StrEnum):
    """Where an event is handled."""

    LOCAL = "Local"
    CLOUD = "Cloud"
    HYBRID = "Hybrid"
    """Locally at once, then refined in the cloud."""
    LOCAL_FALLBACK = "LocalFallback"
    """Locally although the quality is not reached, since nothing better is allowed."""
    DEFER = "Defer"
    DROP = "Drop"

    @property
    def leaves(self) -> bool:
        """Whether the event leaves the machine."""
        return self in {Route.CLOUD, Route.HYBRID}


class Reason(StrEnum):
    """Code of the rule that decided."""

    PRIVACY_LOCAL_ONLY = "privacy_local_only"
    PRIVACY_NO_LOCAL_MODEL = "privacy_no_local_model"
    PRIVACY_PRIVATE = "privacy_private"
    LOCAL_CONFIDENT = "local_confident"
    LATENCY_BUDGET = "latency_budget"
    COST_CAP = "cost_cap"
    HYBRID_REFINE = "hybrid_refine"
    CLOUD_CAPABLE = "cloud_capable"
    NO_ENDPOINT = "no_endpoint"
    ESTIMATOR_FAILED = "estimator_failed"


class PolicyType(StrEnum):
    """A policy that no available route could satisfy."""

    LATENCY_BUDGET = "latency_budget"
    COST_CAP = "cost_cap"
    PRIVACY = "privacy"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Decision:
    """Exactly one route, why, and what it is expected to take."""

    route: Route
    reason: Reason
    confidence: float = 0.0
    """Of the local answer, 0 to 1; 0 where none is given."""
    latency: float = 0.0
    """Seconds expected."""
    cost: float = 0.0
    """USD expected."""
    violations: frozenset[PolicyType] = frozenset()
    endpoint: str = ""
    """Name of the cloud endpoint, where one takes part."""


class Question(NamedTuple):
    """What the router is asked about one event."""

    event_type: str
    privacy: Privacy
    """Of the event; the policy's own is honoured too, the stricter wins."""
    confidence: float | None
    """Expected of the local model, 0 to 1; None when the estimator failed."""


def decide(question: Question, policy: Policy, landscape: Landscape) -> Decision:
    """The route of one event: never raises, and never sends away what privacy keeps here."""
    model = landscape.model_for(question.event_type)
    confidence = max(0.0, min(1.0, question.confidence or 0.0)) if model else 0.0
    privacy = max(question.privacy, policy.privacy)
    case = _Case(question, policy, model, confidence)
    if privacy is Privacy.LOCAL_ONLY:
        return case.local_only()
    if privacy is Privacy.PRIVATE:
        return case.private()
    if model and question.confidence is not None and confidence >= policy.quality_threshold:
        return case.local(Route.LOCAL, Reason.LOCAL_CONFIDENT)
    if model and question.confidence is None:
        return case.local(Route.LOCAL_FALLBACK, Reason.ESTIMATOR_FAILED)
    endpoints = [each for each in landscape.endpoints if each.trusted or privacy is Privacy.PUBLIC]
    if not endpoints:
        kept_back = frozenset({PolicyType.PRIVACY}) if landscape.endpoints else frozenset()
        return case.without_cloud(Reason.NO_ENDPOINT, kept_back)
    return case.with_cloud(endpoints)


@dataclass(frozen=True, slots=True)
class _Case:
    question: Question
    policy: Policy
    model: Model | None
    confidence: float

    def local(self, route: Route, reason: Reason, *violations: PolicyType) -> Decision:
        """Handled by the local model; what it fails to satisfy is recorded."""
        assert self.model is not None  # noqa: S101 - every caller has asked
        broken = set(violations)
        if self.confidence < self.policy.quality_threshold:
            broken.add(PolicyType.QUALITY)
        if self.model.latency > self.policy.latency_budget:
            broken.add(PolicyType.LATENCY_BUDGET)
        return Decision(route, reason, self.confidence, self.model.latency, 0.0, frozenset(broken))

    def local_only(self) -> Decision:
        if self.model:
            return self.local(Route.LOCAL, Reason.PRIVACY_LOCAL_ONLY)
        return Decision(Route.DROP, Reason.PRIVACY_NO_LOCAL_MODEL, violations=frozenset({PolicyType.PRIVACY}))

    def private(self) -> Decision:
        if not self.model:
            return Decision(Route.DEFER, Reason.PRIVACY_PRIVATE, violations=frozenset({PolicyType.PRIVACY}))
        if self.confidence >= self.policy.quality_threshold:
            return self.local(Route.LOCAL, Reason.LOCAL_CONFIDENT)
        return self.local(Route.LOCAL_FALLBACK, Reason.PRIVACY_PRIVATE)

    def without_cloud(self, reason: Reason, violations: frozenset[PolicyType]) -> Decision:
        if self.model:
            return self.local(Route.LOCAL_FALLBACK, reason, *violations)
        return Decision(Route.DEFER, reason, violations=violations)

    def with_cloud(self, endpoints: list[Endpoint]) -> Decision:
        kind = self.question.event_type
        in_time = [each for each in endpoints if each.latency <= self.policy.latency_budget]
        if not in_time:
            return self.without_cloud(Reason.LATENCY_BUDGET, frozenset({PolicyType.LATENCY_BUDGET}))
        affordable = [each for each in in_time if each.cost(kind) <= self.policy.cost_cap]
        if not affordable:
            return self.without_cloud(Reason.COST_CAP, frozenset({PolicyType.COST_CAP}))
        best = min(affordable, key=lambda each: (each.cost(kind), each.latency, each.name))
        together = best.latency + (self.model.latency if self.model else 0.0)
        if self.model and self.confidence > HYBRID_FLOOR and together <= self.policy.latency_budget:
            route, reason, confidence, latency = Route.HYBRID, Reason.HYBRID_REFINE, self.confidence, together
        else:
            route, reason, confidence, latency = Route.CLOUD, Reason.CLOUD_CAPABLE, 0.0, best.latency
        return Decision(route, reason, confidence, latency, best.cost(kind), frozenset(), best.name)
