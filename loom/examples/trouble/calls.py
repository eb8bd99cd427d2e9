"""Trouble in the action broker: failing, late and missing providers, burnt error budgets, endless labels."""

import asyncio

from loom.contract import attributes as a
from loom.examples.trouble.pace import Scene
from loom.runtime import Call, Capability, Result

WELL = "trouble.well"
"""A capability that never fails."""


async def failing(scene: Scene) -> None:
    """Half of a capability's calls raise."""
    scene.loom.broker.register(Capability("trouble.failing"), _fail_when_asked)
    async for number in scene.beats(5):
        await scene.loom.broker.invoke(Call("trouble.failing", scene.broken and number % 2))


async def late(scene: Scene) -> None:
    """A capability takes longer than it is given, every second time."""
    scene.loom.broker.register(Capability("trouble.late"), _sleep_when_asked)
    async for number in scene.beats(6):
        await scene.loom.broker.invoke(Call("trouble.late", scene.broken and number % 2, timeout=0.02))


async def missing(scene: Scene) -> None:
    """Somebody asks for what nobody serves."""
    async for _ in scene.broken_beats(2):
        await scene.loom.broker.invoke(Call("trouble.mispelt"))


async def well(scene: Scene) -> None:
    """A thousand calls a second that do not fail: the others are a small share of all."""
    scene.loom.broker.register(Capability(WELL), _fail_when_asked)
    async for _ in scene.beats(50):
        for _ in range(20):
            await scene.loom.broker.invoke(Call(WELL))


async def hum(scene: Scene) -> None:
    """Sixty calls a second that do not fail, each a trace."""
    scene.loom.broker.register(Capability("trouble.hum"), _fail_when_asked)
    async for _ in scene.beats(60):
        await scene.loom.broker.invoke(Call("trouble.hum"))


async def bursts(scene: Scene) -> None:
    """Fifty calls at once, each second: more spans than a short queue takes."""
    scene.loom.broker.register(Capability("trouble.bursts"), _fail_when_asked)
    async for _ in scene.beats(1):
        for _ in range(50 if scene.broken else 1):
            await scene.loom.broker.invoke(Call("trouble.bursts"))


async def burning(scene: Scene, share: float) -> None:
    """A share of all calls fails."""
    scene.loom.broker.register(Capability("trouble.burning"), _fail_when_asked)
    owed = 0.0
    async for _ in scene.beats(50):
        for _ in range(20):
            owed += share * scene.broken
            fails, owed = owed >= 1, owed % 1
            await scene.loom.broker.invoke(Call("trouble.burning", fails))


async def lagging(scene: Scene, share: float, seconds: float = 3.0) -> None:
    """A share of all calls takes some seconds."""
    scene.loom.broker.register(Capability("trouble.lagging"), _sleep_as_told)
    owed = 0.0
    async with asyncio.TaskGroup() as group:
        async for _ in scene.beats(200):
            owed += share * scene.broken
            lags, owed = owed >= 1, owed % 1
            call = Call("trouble.lagging", seconds if lags else 0.0, timeout=2 * seconds)
            group.create_task(scene.loom.broker.invoke(call))


async def overflow(scene: Scene) -> None:
    """More error codes than may be recorded."""
    scene.loom.broker.register(Capability("trouble.codes"), _answer_a_code)
    async for number in scene.broken_beats(20):
        await scene.loom.broker.invoke(Call("trouble.codes", f"CODE_{number % (2 * a.ERROR_CODE.budget)}"))


async def _fail_when_asked(call: Call) -> None:
    if call.payload:
        message = "asked to fail"
        raise RuntimeError(message)


async def _sleep_when_asked(call: Call) -> None:
    await asyncio.sleep(30 if call.payload else 0)


async def _sleep_as_told(call: Call) -> None:
    await asyncio.sleep(call.payload if isinstance(call.payload, float) else 0.0)


async def _answer_a_code(call: Call) -> Result:
    return Result.failed(str(call.payload), "as asked")
