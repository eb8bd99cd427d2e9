"""The section about tail sampling: which traces are kept is decided when they are over."""

from typing import Annotated

from pydantic import Field, StringConstraints

from loom.deploy.profile import forms
from loom.deploy.profile.quantity import Duration
from loom.deploy.profile.section import Section, Share

AgentType = Annotated[str, StringConstraints(pattern=forms.AGENT_TYPE)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[int, Field(ge=1, le=10_000_000)]


class Rare(Section):
    """Agents that run so seldom that the ratio of the others would lose them."""

    agents: Annotated[tuple[AgentType, ...], Field(min_length=1, max_length=50, strict=False)]
    """Values of `agent_type`; a trace in which one of them ran counts."""
    ratio: Ratio = 1.0
    """Share of their traces that is kept."""
    spans_per_second: Rate | None = None
    """No more than this of theirs; null for no limit."""


class Tail(Section):
    """Every trace with an error or of the canary is kept; of all others, what is said here."""

    wait: Duration = Duration.parse("30s")
    """How long a trace is held, from its first span to the decision: longer than the longest run, or its end
    has no say. Every trace is seen in Jaeger so much later."""
    after_root: Duration | None = None
    """Decide so long after the root span has arrived, when that is sooner. Loom's own root, `publish`, ends
    before its agents have begun: null, unless a span of yours is the root of every trace."""
    slow: Duration | None = Duration.parse("10s")
    """Traces in which one agent's run took at least so long are kept; null for none."""
    rare: tuple[Rare, ...] = Field(default=(), strict=False)
    """Traces of agents that run seldom."""
    ratio: Ratio = 0.1
    """Share of all other traces that is kept."""
    spans_per_second: Rate | None = None
    """No more than this of all other traces; null for no limit."""
    expected: Share = 0.05
    """Share of all traces that errors, slow runs and rare agents make, as the plan shall expect."""
