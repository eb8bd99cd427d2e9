"""Trouble with agents and the router."""

from collections.abc import Sequence

from loom.examples.trouble.pace import Scene
from loom.runtime import Event
from loom.runtime.agent import Action, AgentConfig, AgentContext, ScriptedAgent


async def gone(scene: Scene) -> None:
    """The only agent is deleted, and its events keep coming."""
    topic = "trouble.gone"
    config = AgentConfig("worker", "worker", (topic,))
    scene.loom.agents.create(config, ScriptedAgent())
    there = True
    async for number in scene.beats(10):
        await scene.loom.bus.publish(topic, Event("work"))
        # A second of health first: whoever never had an agent has none to miss.
        if number > 20 and there == scene.broken:
            there = not there
            if there:
                scene.loom.agents.create(config, ScriptedAgent())
            else:
                await scene.loom.agents.delete("worker")


async def failing(scene: Scene) -> None:
    """Every event of an agent ends in an error."""

    async def handle(_: Event, __: AgentContext) -> Sequence[Action]:
        if scene.broken:
            message = "cannot handle it"
            raise RuntimeError(message)
        return ()

    scene.loom.agents.create(AgentConfig("clumsy", "clumsy", ("trouble.clumsy",)), ScriptedAgent(handle))
    async for _ in scene.beats(10):
        await scene.loom.bus.publish("trouble.clumsy", Event("work"))


async def violations(scene: Scene) -> None:
    """Events are marked with a privacy that does not exist: each violates the policy."""
    async for _ in scene.beats(10):
        marked = {"privacy": "confidental" if scene.broken else "public"}
        await scene.loom.router.route(Event("letter", metadata=marked))
