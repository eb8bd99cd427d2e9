"""The profile's service level objectives, and those that its Prometheus could not answer for."""

from collections.abc import Iterator
from dataclasses import dataclass

from loom.contract.indicator import (
    DELIVERY,
    INVOKE_SUCCESS,
    TOOL_SUCCESS,
    Indicator,
    freshness,
    invoke_latency,
)
from loom.contract.metrics import action_broker
from loom.contract.objective import WINDOWS, Objective
from loom.deploy.plan.estimate import kept_seconds
from loom.deploy.plan.finding import WORKLOAD, at, span
from loom.deploy.plan.model import Plan
from loom.deploy.plan.rounds import oldest
from loom.deploy.profile import objectives as written
from loom.deploy.profile.model import Profile
from loom.deploy.profile.quantity import Duration
from loom.errors import Problem

LEAST = WINDOWS["1h"]
"""Seconds of the shortest long window: an objective over less would have no alert."""
_SECTION = "alerting.slo"
_FILLED = ("metrics.retention.size", "metrics.scrape_interval", *WORKLOAD)
"""What says when Prometheus' size is reached."""
_BOUNDARIES = tuple(bound for bound in action_broker.INVOKE_LATENCY.boundaries if (bound * 1000).is_integer())
"""Those that a duration of the profile can say, which knows no less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One objective as the profile has it."""

    name: str
    """Its key in `alerting.slo`, and the label `slo`."""
    section: written.Objective
    missing: str
    """What the profile lacks for it to be measured; empty when nothing."""

    @property
    def enabled(self) -> bool:
        """Whether it is watched."""
        return not self.missing if self.section.enabled is None else self.section.enabled

    @property
    def path(self) -> str:
        """Where it stands in the profile."""
        return f"{_SECTION}.{self.name}"


def wishes(profile: Profile) -> tuple[Wish, ...]:
    """Every objective that there can be."""
    slo = profile.alerting.slo
    no_tools = "" if profile.workload.tools else "workload.tools is 0"
    no_canary = "" if profile.canary.enabled else "canary.enabled is false"
    return (
        Wish("delivery", slo.delivery, ""),
        Wish("invoke_success", slo.invoke_success, ""),
        Wish("invoke_latency", slo.invoke_latency, ""),
        Wish("tool_success", slo.tool_success, no_tools),
        Wish("freshness", slo.freshness, no_canary),
    )


def objectives(plan: Plan) -> tuple[Objective, ...]:
    """Those that are watched, with everything filled in."""
    return tuple(_objective(plan, wish) for wish in wishes(plan.profile) if wish.enabled)


def share(profile: Profile, name: str) -> float:
    """The share that one objective asks for, whether it is watched or not."""
    section: written.Objective = getattr(profile.alerting.slo, name)
    return section.objective or profile.alerting.slo.objective


def _objective(plan: Plan, wish: Wish) -> Objective:
    profile = plan.profile
    window, slo = _window(profile, wish), profile.alerting.slo
    kept = kept_seconds(profile, plan.estimate)
    goal = share(profile, wish.name)
    return Objective(_indicator(slo, wish.name), goal, str(window), window.seconds, slo.floor, kept)


def _window(profile: Profile, wish: Wish) -> Duration:
    return wish.section.window or profile.alerting.slo.window


def _indicator(slo: written.Slo, name: str) -> Indicator:
    if name == "invoke_latency":
        return invoke_latency(slo.invoke_latency.threshold.seconds)
    if name == "freshness":
        return freshness(slo.freshness.within.seconds)
    return next(one for one in (DELIVERY, INVOKE_SUCCESS, TOOL_SUCCESS) if one.name == name)


def unmeasured(plan: Plan) -> Iterator[Problem]:
    """An objective over what this profile does not have."""
    for wish in wishes(plan.profile):
        if wish.enabled and wish.missing:
            message = f"nothing measures {wish.name}: {wish.missing}"
            causes = ("workload.tools", "canary.enabled")
            yield at(plan.profile, f"{wish.path}.enabled", message, "write false, or change that", causes)


def windows(plan: Plan) -> Iterator[Problem]:
    """A window longer than samples live, or shorter than a burn rate looks back; each value once."""
    seen: set[str] = set()
    for wish in wishes(plan.profile):
        path = _SECTION if wish.section.window is None else wish.path
        if wish.enabled and path not in seen:
            seen.add(path)
            yield from _window_problems(plan, f"{path}.window", _window(plan.profile, wish))


def _window_problems(plan: Plan, path: str, window: Duration) -> Iterator[Problem]:
    retention, kept = plan.profile.metrics.retention, kept_seconds(plan.profile, plan.estimate)
    if window > retention.time:
        message = f"{window} is longer than samples are kept, {retention.time}"
        hint = "shorten it, or raise metrics.retention.time"
        yield at(plan.profile, path, message, hint, ("metrics.retention.time",))
    elif window.seconds > kept:
        message = f"{window} is longer than samples live: {retention.size} are full after about {span(kept)}"
        hint = "shorten it, raise metrics.retention.size, or lower the numbers in workload"
        yield at(plan.profile, path, message, hint, _FILLED)
    if window.seconds < LEAST:
        message = f"{window} is too short: burn rates look back {span(LEAST)} at least"
        yield at(plan.profile, path, message, "write at least 1h")


def threshold(plan: Plan) -> Iterator[Problem]:
    """A latency that lies between two buckets: how many calls were faster is not known."""
    section = plan.profile.alerting.slo.invoke_latency
    seconds = section.threshold.seconds
    if section.enabled is not False and seconds not in _BOUNDARIES:
        nearest = min(_BOUNDARIES, key=lambda bound: abs(bound - seconds))
        message = f"{section.threshold} is no boundary of {action_broker.INVOKE_LATENCY.name}"
        hint = f"the nearest is {_spell(nearest)}"
        yield at(plan.profile, f"{_SECTION}.invoke_latency.threshold", message, hint)


def _spell(seconds: float) -> str:
    """As a duration of the profile."""
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def within(plan: Plan) -> Iterator[Problem]:
    """Telemetry that is always older than that, even when all is well."""
    profile, section = plan.profile, plan.profile.alerting.slo.freshness
    least = oldest(profile, 2)
    if profile.canary.enabled and section.enabled is not False and section.within.seconds < least:
        message = f"{section.within} is less than two rounds of the canary take, {span(least)}"
        waits = " or tracing.tail.wait" if profile.tracing.tail else ""
        hint = f"raise it, or shorten canary.interval{waits}"
        causes = (
            "canary.interval",
            "tracing.tail.wait",
            "metrics.export_interval",
            "metrics.scrape_interval",
        )
        yield at(profile, f"{_SECTION}.freshness.within", message, hint, causes)


CHECKS = (unmeasured, windows, threshold, within)
