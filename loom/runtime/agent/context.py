"""What a handler gets beside the event."""

from collections.abc import Mapping

from loom.runtime.agent.action import Action
from loom.runtime.agent.config import AgentConfig
from loom.runtime.agent.execution import Executor
from loom.runtime.agent.phase import Phase
from loom.runtime.call import Result
from loom.runtime.envelope import Envelope
from loom.runtime.event import Event
from loom.runtime.qos import Qos
from loom.runtime.router import Decision


class AgentContext:
    """One event's surroundings; what is sent through it belongs to the event's trace and conversation."""

    __slots__ = ("_executor", "config", "decision", "envelope", "phase")

    def __init__(self, executor: Executor, envelope: Envelope, decision: Decision, phase: Phase) -> None:
        """Made by the runtime for each call of a handler."""
        self.config: AgentConfig = executor.config
        self.envelope = envelope
        self.decision = decision
        """Where the router wants the event handled, and why."""
        self.phase = phase
        self._executor = executor

    @property
    def agent_id(self) -> str:
        """Whose handler this is."""
        return self.config.agent_id

    @property
    def parameters(self) -> Mapping[str, str]:
        """The agent's parameters."""
        return self.config.parameters

    @property
    def mailbox(self) -> str:
        """The agent's private topic: where to have answers sent."""
        return self.config.mailbox

    async def execute(self, action: Action) -> Result:
        """Execute an action now and have its result here instead of published."""
        return await self._executor.execute(action)

    async def publish(self, topic: str, event: Event, qos: Qos = Qos.BATCHED, reply_to: str = "") -> int:
        """Publish an event that follows from this one, one hop further; how many subscriptions took it.

        It stays in the conversation, and as private as this one unless it says itself how private it is.
        """
        return await self._executor.send(self.envelope, topic, event, qos, reply_to)

    async def reply(self, event: Event, qos: Qos = Qos.BATCHED) -> int:
        """Publish an answer where this event wants answers."""
        return await self._executor.send(self.envelope, self.envelope.reply_to, event, qos)
