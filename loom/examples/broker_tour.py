"""Shows the action broker: versions, repeated calls, and each way to fail."""

import asyncio

from loom.contract import attributes as a
from loom.examples.tally import Done
from loom.runtime import ActionBroker, Call, Capability, Result
from loom.telemetry import Telemetry

SECONDS = 10.0


async def show(telemetry: Telemetry, done: Done, *, overflow: bool) -> None:
    """Call every capability below."""
    async with ActionBroker(telemetry) as broker, asyncio.timeout(SECONDS):
        for version in ("1.0.0", "1.1.0"):
            broker.register(Capability("weather.get", version, description="Weather of a place"), _weather)
        broker.register(Capability("weather.slow"), _slow)
        broker.register(Capability("weather.broken"), _broken)
        broker.register(Capability("weather.limited"), _limited)
        tour = _Tour(broker, done)
        await tour.succeed()
        await tour.fail()
        if overflow:
            await tour.overflow()
        broker.unregister("weather.slow")


class _Tour:
    """One stop after another."""

    def __init__(self, broker: ActionBroker, done: Done) -> None:
        self._broker = broker
        self._done = done

    async def succeed(self) -> None:
        """The highest version, an older one, the same call again, and two at the same time."""
        await self._call(Call("weather.get", "Paris", id="first"))
        await self._call(Call("weather.get", "Paris", version="1.0", id="second"))
        await self._call(Call("weather.get", "Paris", id="first"), hit=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._call(Call("weather.get", "Oslo", id="third")))
            group.create_task(self._call(Call("weather.get", "Oslo", id="third"), hit=True))

    async def fail(self) -> None:
        """Too late, raised, returned, and not there at all."""
        await self._call(Call("weather.slow", timeout=0.05))
        await self._call(Call("weather.broken"))
        await self._call(Call("weather.limited"))
        await self._call(Call("weather.forgotten"), reached=False)

    async def overflow(self) -> None:
        """More error codes than may be recorded: the rest is recorded as one."""
        for number in range(a.ERROR_CODE.budget + 1):
            await self._call(Call("weather.limited", f"CODE_{number}"))

    async def _call(self, call: Call, *, hit: bool = False, reached: bool = True) -> None:
        result = await self._broker.invoke(call)
        self._done.calls[result.status.value] += 1
        self._done.hits += hit
        self._done.executed += reached and not hit


async def _weather(call: Call) -> str:
    await asyncio.sleep(0)
    return f"sunny in {call.payload}"


async def _slow(_: Call) -> None:
    await asyncio.Event().wait()


async def _broken(_: Call) -> None:
    message = "the weather service is broken"
    raise ConnectionError(message)


async def _limited(call: Call) -> Result:
    return Result.failed(str(call.payload or "RATE_LIMITED"), "try again later")
