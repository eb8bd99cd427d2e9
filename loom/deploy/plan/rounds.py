"""How long the canary's rounds take: a sampler that waits holds what the canary has sent, too."""

from collections.abc import Iterator

from loom.deploy.plan.finding import at, span
from loom.deploy.plan.model import Plan
from loom.deploy.plan.sampling import hold_seconds
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Duration
from loom.errors import Problem

_LEAST, _MOST = Duration.parse("1s"), Duration.parse("1h")
"""What the canary itself takes for an interval, and what still says on the same day that nothing arrives."""
_LONGEST = 3 * 3600
"""Seconds of patience at the most: the alert on rounds that fail looks back over ten times as much."""


def patience(profile: Profile) -> float:
    """Seconds after which what the canary has sent and not found is missing."""
    return profile.canary.interval.seconds + hold_seconds(profile)


def oldest(profile: Profile, rounds: int) -> float:
    """Seconds that the newest arrival may be old, so many rounds long, with what its numbers take."""
    metrics, hold = profile.metrics, hold_seconds(profile)
    # The next round begins when the one before is over.
    pace = max(profile.canary.interval.seconds, hold)
    return rounds * (pace + metrics.export_interval.seconds + metrics.scrape_interval.seconds) + hold


def paced(plan: Plan) -> Iterator[Problem]:
    """Rounds that the canary cannot make, or that are too long for its alerts."""
    profile, interval = plan.profile, plan.profile.canary.interval
    if not profile.canary.enabled:
        return
    if interval < _LEAST:
        message = f"{interval} is too short for a round of the canary"
        yield at(profile, "canary.interval", message, f"write at least {_LEAST}")
    if interval > _MOST:
        message = f"{interval} is so long that an outage would be over before three rounds are"
        yield at(profile, "canary.interval", message, f"write at most {_MOST}")
    elif profile.tracing.tail and patience(profile) > _LONGEST:
        message = (
            f"with an interval of {interval} the canary would wait longer for what it has sent than the"
            f" {span(_LONGEST)} that its alerts allow"
        )
        causes = ("canary.interval", "canary.enabled")
        yield at(profile, "tracing.tail.wait", message, "lower it, or write canary.enabled: false", causes)


CHECKS = (paced,)
