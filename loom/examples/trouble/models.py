"""Trouble with the language model and its tools; each fault has a scripted model of its own."""

import asyncio

from loom.examples.trouble.pace import Scene
from loom.runtime import Call, Capability, Result
from loom.runtime.orchestrator import BrokerTools, Orchestrator
from loom.runtime.orchestrator.script import Reply, Script, ScriptedCall
from loom.runtime.orchestrator.scripted import ScriptedModel

TOOL = "trouble.tool"
LONG = 42.0
"""Seconds a slow model takes: beyond the histogram boundary that the alert asks about."""
_RUNS = 10_000


async def tools(scene: Scene, share: float) -> None:
    """A share of all tool calls fails."""
    capability = Capability(TOOL, description="Fails when it is asked to.", schema={"type": "object"})
    scene.loom.broker.register(capability, _fail_when_asked)
    orchestrator = _orchestrator(scene, _many_calls(share))
    async for _ in scene.broken_beats(3):
        await orchestrator.run("Try the tool.")


def _many_calls(share: float) -> Script:
    """Runs of twenty calls, of which a share asks to fail."""
    replies, owed = list[Reply](), 0.0
    for _ in range(_RUNS // 10):
        calls = []
        for _ in range(20):
            owed += share
            calls.append(ScriptedCall(TOOL, {"fail": owed >= 1}))
            owed %= 1
        replies += [Reply(calls=tuple(calls)), Reply("Tried it.")]
    return Script(tuple(replies))


async def _fail_when_asked(call: Call) -> Result | str:
    asked = isinstance(call.payload, dict) and call.payload.get("fail")
    return Result.failed("BROKEN", "as asked") if asked else "yes"


async def refused(scene: Scene) -> None:
    """The model's endpoint refuses us."""
    bad, good = (
        _orchestrator(scene, Script((reply,), forever=True)) for reply in (Reply(status=401), Reply("Yes."))
    )
    async for _ in scene.beats(5):
        await (bad if scene.broken else good).run("Are you there?")


async def slow(scene: Scene) -> None:
    """The model takes its time."""
    orchestrator = _orchestrator(scene, Script((Reply("At last.", delay=LONG),), forever=True))
    async with asyncio.TaskGroup() as group:
        asked = set()
        async for _ in scene.broken_beats(2):
            asked.add(group.create_task(orchestrator.run("What is the answer?")))
        for task in asked:
            task.cancel()


def _orchestrator(scene: Scene, script: Script) -> Orchestrator:
    tools = BrokerTools(scene.loom.broker, lambda capability: capability.name == TOOL)
    return Orchestrator(ScriptedModel(script), tools, scene.loom.telemetry)
