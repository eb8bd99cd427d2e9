"""Parts of the path alone and without telemetry, and the yardstick they are measured with."""

import asyncio

from bench.burst import BURST, Local
from bench.path import CAPABILITY, LANDSCAPE
from loom.runtime import ActionBroker, Call, Capability, Event
from loom.runtime.router import FixedEstimator, Router
from loom.telemetry import Telemetry


class Yardstick(Local):
    """One item in and out of an asyncio.Queue an event."""

    def __init__(self) -> None:
        """An empty queue."""
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    async def burst(self) -> None:
        """See `Local.burst`."""
        queue = self._queue
        for number in range(BURST):
            queue.put_nowait(number)
            queue.get_nowait()


class Routing(Local):
    """One decision an event."""

    def __init__(self) -> None:
        """The same router as that of the path."""
        self._router = Router(LANDSCAPE, FixedEstimator(), Telemetry.disabled())
        self._event = Event("tick")

    async def burst(self) -> None:
        """See `Local.burst`."""
        for _ in range(BURST):
            await self._router.route(self._event)


class Invoking(Local):
    """One call of a native capability an event."""

    def __init__(self, broker: ActionBroker) -> None:
        """`broker` is entered."""
        self._broker = broker
        broker.register(Capability(CAPABILITY), self._provide)

    async def burst(self) -> None:
        """See `Local.burst`."""
        for _ in range(BURST):
            await self._broker.invoke(Call(CAPABILITY))

    async def _provide(self, call: Call) -> None:
        del call
