"""What an agent asks for: calls of capabilities."""

from dataclasses import dataclass

from loom.errors import LoomRuntimeError, Problem
from loom.runtime.qos import Qos

URGENT = 70
"""Priority from which on a result travels in realtime."""
NORMAL = 30
"""Priority from which on a result travels batched; below in the background."""


@dataclass(frozen=True, slots=True)
class Action:
    """A call of a capability; its result is published as an event."""

    type: str
    """What kind of action it is; the capability's name, unless `capability` says otherwise."""
    payload: object = None
    capability: str = ""
    """Empty for the capability that has the type's name."""
    version: str = ""
    """Which version; empty for the highest."""
    priority: int = 50
    """0 to 100: how the result travels, see `qos`."""
    timeout: float = 0.0
    """Seconds; 0 takes the agent's own."""
    reply_to: str | None = ""
    """Topic of the result: empty for where the event wants answers, None to publish no result."""
    call_id: str = ""
    """Names the call, so that repeating it replays its result; empty for a call of its own."""

    def __post_init__(self) -> None:
        """LoomRuntimeError for an action that cannot be asked for."""
        if not self.type:
            raise LoomRuntimeError(Problem("an action has a type"))
        if not 0 <= self.timeout < float("inf"):
            raise LoomRuntimeError(Problem("an action's timeout is a number of seconds, 0 or more"))

    @property
    def target(self) -> str:
        """The capability that is called."""
        return self.capability or self.type

    @property
    def qos(self) -> Qos:
        """Realtime from priority 70, batched from 30, background below."""
        if self.priority >= URGENT:
            return Qos.REALTIME
        return Qos.BATCHED if self.priority >= NORMAL else Qos.BACKGROUND
