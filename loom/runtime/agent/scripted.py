"""An agent for tests and examples: does what a function says, and remembers what it was given."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from loom.runtime.agent.action import Action
from loom.runtime.agent.context import AgentContext
from loom.runtime.event import Event

Script = Callable[[Event, AgentContext], Awaitable[Sequence[Action]]]


async def do_nothing(_: Event, __: AgentContext) -> Sequence[Action]:
    """A script without actions."""
    return ()


class ScriptedAgent:
    """An `Agent` whose handler is a function."""

    def __init__(self, script: Script = do_nothing) -> None:
        """`script` is called for each event."""
        self.contexts: list[AgentContext] = []
        """One for each call of the handler, in the order in which they began."""
        self.ended = 0
        """Calls that ended, however they did."""
        self._script = script
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def events(self) -> list[Event]:
        """The events it was given."""
        return [context.envelope.event for context in self.contexts]

    async def handle(self, event: Event, context: AgentContext) -> Sequence[Action]:
        """Remember the event and do what the script says."""
        self.contexts.append(context)
        try:
            return await self._script(event, context)
        finally:
            self.ended += 1
            for count, future in self._waiting:
                if count <= self.ended and not future.done():
                    future.set_result(None)

    async def handled(self, count: int, seconds: float = 10.0) -> None:
        """Wait until so many calls have ended; TimeoutError when that takes too long."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((count, future))
        if count > self.ended:
            async with asyncio.timeout(seconds):
                await future
