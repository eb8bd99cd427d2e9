"""What an agent does: written by users, called by the runtime."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from loom.runtime.agent.action import Action
from loom.runtime.agent.context import AgentContext
from loom.runtime.event import Event


class Crash(Exception):  # noqa: N818 - an agent asks for it, it is no misuse
    """Raise it from a handler when the agent cannot go on: it is set up anew."""


class Agent(Protocol):
    """Handles events. An exception costs the event, never the agent; `Crash` sets the agent up anew."""

    async def handle(self, event: Event, context: AgentContext, /) -> Sequence[Action]:
        """Handle one event before its deadline; the actions it returns are executed in their order."""


@runtime_checkable
class Setup(Protocol):
    """An agent that prepares itself."""

    async def setup(self) -> None:
        """Called before the first event, and again for each restart; an exception is a crash."""


@runtime_checkable
class Teardown(Protocol):
    """An agent that cleans up."""

    async def teardown(self) -> None:
        """Called after the last event, and after each crash; an exception is logged."""
