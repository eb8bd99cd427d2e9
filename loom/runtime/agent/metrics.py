"""What agents and their runtime count."""

from enum import StrEnum

from loom.contract import attributes as a
from loom.contract.metrics import agent as m
from loom.contract.metrics import agent_runtime as r
from loom.runtime.call import Status
from loom.runtime.router import Route
from loom.telemetry import Telemetry
from loom.telemetry.tally import Tally

KEPT = 1024
"""Pairs of action type and status whose tally an agent remembers."""


class Outcome(StrEnum):
    """What became of an event."""

    OK, ERROR, EXPIRED, DEFERRED, DROPPED = a.EVENT_OUTCOME.values


class AgentMetrics:
    """Everything that is counted for agents of one type."""

    __slots__ = ("_actions", "_executed", "_type", "latency", "outcomes", "routes")

    def __init__(self, telemetry: Telemetry, agent_type: str) -> None:
        """Find the series; those of closed sets exist from the start, at zero."""
        processed = telemetry.counter(m.EVENTS_PROCESSED)
        routing = telemetry.counter(m.ROUTING_DECISIONS)
        self.outcomes = {outcome: processed.series(agent_type, outcome) for outcome in Outcome}
        self.routes = {route: routing.series(agent_type, route) for route in Route}
        self.latency = telemetry.histogram(m.EVENT_LATENCY).series(agent_type)
        self._actions = telemetry.counter(m.ACTIONS_EXECUTED)
        self._type = agent_type
        self._executed: dict[tuple[str, Status], Tally] = {}

    def executed(self, action_type: str, status: Status) -> None:
        """One more action ended."""
        key = action_type, status
        tally = self._executed.get(key)
        if tally is None:
            tally = self._actions.series(self._type, action_type, status)
            if len(self._executed) < KEPT:
                self._executed[key] = tally
        tally.n += 1


class RuntimeMetrics:
    """What is counted for the runtime as a whole."""

    __slots__ = ("_active", "_created", "_deleted", "_subscriptions", "_unsubscriptions")

    def __init__(self, telemetry: Telemetry) -> None:
        """Make the families from the contract."""
        self._active = telemetry.gauge(r.AGENTS_ACTIVE).series()
        self._created = telemetry.counter(r.AGENTS_CREATED).series()
        self._deleted = telemetry.counter(r.AGENTS_DELETED).series()
        self._subscriptions = telemetry.counter(r.SUBSCRIPTIONS).series()
        self._unsubscriptions = telemetry.counter(r.UNSUBSCRIPTIONS).series()

    def created(self) -> None:
        """One more agent."""
        self._active.n += 1
        self._created.n += 1

    def deleted(self) -> None:
        """One agent fewer."""
        self._active.n -= 1
        self._deleted.n += 1

    def subscribed(self, topics: int = 1) -> None:
        """An agent subscribed to so many topics."""
        self._subscriptions.n += topics

    def unsubscribed(self, topics: int = 1) -> None:
        """An agent unsubscribed from so many topics."""
        self._unsubscriptions.n += topics
