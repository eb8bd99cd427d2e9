"""The collector's tail sampler: its policies, of which the first that says yes keeps the trace."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from loom.contract import attributes, canary
from loom.contract.spans import agent
from loom.deploy.plan import sampling
from loom.deploy.plan.model import Plan
from loom.deploy.plan.sampling import Held
from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.sampling import Rare, Tail

_REST, _RARE = "loom-rest", "loom-rare"
"""Salts of shares: not the same, or one were part of the other; but the same in every sampler."""
_BURST_SECONDS = 10
_BURST_LEAST = 10_000
"""Spans that a limit lets through at once at the least: a larger trace never gets through it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a trace."""

    name: str
    kind: str
    """The processor's type of policy: `status_code`."""
    chosen: tuple[tuple[str, object], ...]

    @property
    def settings(self) -> str:
        """As JSON, which is YAML too."""
        return json.dumps(dict(self.chosen))


@dataclass(frozen=True, slots=True)
class Policy:
    """One reason to keep a trace; all of its conditions must hold."""

    name: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Sampler:
    """The processor."""

    wait: str
    after_root: str
    """Empty when it does not matter when the root arrives."""
    held: Held
    policies: tuple[Policy, ...]


def sampler(plan: Plan) -> Sampler | None:
    """That of each collector that decides; None without tail sampling."""
    tail = plan.profile.tracing.tail
    if tail is None:
        return None
    root = go(tail.after_root) if tail.after_root else ""
    deciders = max(1, len(sampling.deciders(plan.profile)))
    return Sampler(go(tail.wait), root, sampling.held(plan.profile, tail), tuple(_policies(tail, deciders)))


def go(duration: Duration) -> str:
    """As Go reads durations, whatever the unit: `30000ms`."""
    return f"{duration.base}ms"


def _policies(tail: Tail, deciders: int) -> Iterator[Policy]:
    yield _simple("canary", "boolean_attribute", key=canary.CANARY.name, value=True)
    yield _simple("errors", "status_code", status_codes=["ERROR"])
    if tail.slow is not None:
        yield _simple("slow-runs", "ottl_condition", error_mode="ignore", span=[_slow(tail.slow)])
    for number, rare in enumerate(tail.rare, start=1):
        yield Policy(f"rare-{number}", tuple(_rare(rare, deciders)))
    if tail.ratio:
        rest = (_share(tail.ratio, _REST), *_limit(tail.spans_per_second, deciders))
        yield Policy("rest", rest)


def _slow(threshold: Duration) -> str:
    run = f'span.name == "{agent.RUN.name}" and instrumentation_scope.name == "{agent.RUN.scope}"'
    return f'{run} and span.end_time - span.start_time >= Duration("{go(threshold)}")'


def _rare(rare: Rare, deciders: int) -> Iterator[Condition]:
    chosen = (("key", attributes.AGENT_TYPE.name), ("values", list(rare.agents)))
    yield Condition("agents", "string_attribute", chosen)
    if rare.ratio != 1:
        yield _share(rare.ratio, _RARE)
    yield from _limit(rare.spans_per_second, deciders)


def _simple(name: str, kind: str, **chosen: object) -> Policy:
    return Policy(name, (Condition(name, kind, tuple(chosen.items())),))


def _share(ratio: float, salt: str) -> Condition:
    # Without the dust of binary fractions: 10, not 10.000000000000002.
    chosen = (("hash_salt", salt), ("sampling_percentage", round(ratio * 100, 10)))
    return Condition("share", "probabilistic", chosen)


def _limit(spans_per_second: int | None, deciders: int) -> Iterator[Condition]:
    """Each decider has its part of a limit."""
    if spans_per_second is not None:
        own = ceil(spans_per_second / deciders)
        burst = max(_BURST_LEAST, own * _BURST_SECONDS)
        yield Condition("limit", "rate_limiting", (("spans_per_second", own), ("burst_capacity", burst)))
