"""What an agent is made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from loom.errors import ConfigurationError, LoomError, Problem
from loom.runtime import topic as topics
from loom.runtime.call import TIMEOUT_SECONDS
from loom.runtime.qos import Qos
from loom.runtime.router.policy import Policy

LONGEST = 128
"""Characters of an id or a type."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """An agent, before it runs. ConfigurationError names everything that is wrong with it."""

    agent_id: str
    """Unique in a runtime; one segment of a topic, since it names the agent's mailbox."""
    agent_type: str = "agent"
    """What kind of agent it is: recorded with its metrics, where the id is not."""
    topics: tuple[str, ...] = ()
    """Topics and patterns besides the agent's own mailbox; naming one twice subscribes once."""
    capabilities: frozenset[str] = frozenset()
    """What its actions may call; empty for everything."""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For its handler; `routing.*` override the router's policy. They may be secret: never recorded."""
    qos: Qos = Qos.BATCHED
    """Quality of service of its subscriptions."""
    capacity: int = 0
    """Events that may be queued for each subscription; 0 takes the bus's own limit."""
    concurrency: int = 1
    """Events handled at the same time; with 1 each subscription's events are handled in order."""
    handle_seconds: float = 30.0
    """Deadline of one call of the handler."""
    setup_seconds: float = 30.0
    """Deadline of `setup` and of `teardown`."""
    action_seconds: float = TIMEOUT_SECONDS
    """Deadline of an action that names none."""
    max_actions: int = 64
    """Actions that one call of the handler may return; more are an error of the handler."""
    max_failures: int = 0
    """Failed events in a row that count as a crash; 0 for never."""

    def __post_init__(self) -> None:
        """Check everything at once."""
        problems = [
            *self._check_names(),
            *self._check_topics(),
            *self._check_numbers(),
            *self._check_policy(),
        ]
        if problems:
            raise ConfigurationError(*problems)

    @property
    def mailbox(self) -> str:
        """The agent's private topic, for answers to what it sends."""
        return f"agent.{self.agent_id}.replies"

    @property
    def patterns(self) -> tuple[str, ...]:
        """What it subscribes to: its mailbox first, then its topics, each once."""
        return tuple(dict.fromkeys((self.mailbox, *self.topics)))

    def policy(self, base: Policy) -> Policy:
        """Its routing policy: the base, with what its parameters override."""
        return Policy.from_parameters(dict(self.parameters), base)

    def _check_names(self) -> Iterator[Problem]:
        hint = f"1 to {LONGEST} printable characters, without blanks, dots and `*`"
        if not _is_segment(self.agent_id):
            yield Problem("an agent's id is one segment of a topic", path="$.agent_id", hint=hint)
        if not self.agent_type or not self.agent_type.isprintable() or len(self.agent_type) > LONGEST:
            yield Problem("an agent has a type", path="$.agent_type", hint=f"1 to {LONGEST} characters")

    def _check_topics(self) -> Iterator[Problem]:
        for number, pattern in enumerate(self.topics):
            try:
                topics.check_pattern(pattern)
            except LoomError as error:
                yield from (
                    Problem(problem.message, path=f"$.topics[{number}]", hint=problem.hint)
                    for problem in error.problems
                )

    def _check_numbers(self) -> Iterator[Problem]:
        for name in ("handle_seconds", "setup_seconds", "action_seconds"):
            if not 0 < getattr(self, name) < float("inf"):
                yield Problem("a deadline is a positive number of seconds", path=f"$.{name}")
        for name, least in (("concurrency", 1), ("max_actions", 1), ("max_failures", 0), ("capacity", 0)):
            if getattr(self, name) < least:
                yield Problem(f"at least {least}", path=f"$.{name}")

    def _check_policy(self) -> Iterator[Problem]:
        try:
            self.policy(Policy())
        except ConfigurationError as error:
            yield from error.problems


def _is_segment(text: str) -> bool:
    return (
        0 < len(text) <= LONGEST
        and text.isprintable()
        and not any(character in text for character in f". {topics.ANY}")
    )
