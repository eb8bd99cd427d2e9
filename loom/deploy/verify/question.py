"""What is to be proven, and the wait for it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loom.contract import scopes
from loom.deploy.credentials.access import PLAIN, Access
from loom.deploy.plan.model import Plan
from loom.deploy.plan.sampling import hold_seconds
from loom.deploy.verify.finding import Finding, Proof

PAUSE = 1.0
"""Seconds between two looks."""
_EXPORTING = 3.0
"""Seconds that batches and queues hold a span or a point."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be proven."""

    plan: Plan
    since: float
    """Seconds since 1970; what is older than an hour does not count either way."""
    services: tuple[str, ...] = ()
    """Only these; every service that reports when empty."""
    timeout: float | None = None
    """Seconds until the verdict stands; None: as long as telemetry needs to get through."""
    access: Access = PLAIN
    """What the stores are shown."""
    components: tuple[str, ...] = scopes.ALL
    """Scopes of the components that must report."""


def patience(plan: Plan) -> float:
    """Seconds that telemetry needs at most: an export, two scrapes, queues, tail sampling's decision."""
    metrics = plan.profile.metrics
    measured = metrics.export_interval.seconds + 2 * metrics.scrape_interval.seconds
    return max(measured, hold_seconds(plan.profile)) + _EXPORTING


def wait(question: Question, look: Callable[[], Sequence[Finding]], pause: Callable[[float], None]) -> Proof:
    """Look until everything is found, or time is up."""
    limit = patience(question.plan) if question.timeout is None else question.timeout
    begun = time.monotonic()
    while True:
        findings = look()
        proof = Proof(findings, time.monotonic() - begun)
        if not proof.bad or proof.seconds + PAUSE > limit:
            return proof
        pause(PAUSE)
