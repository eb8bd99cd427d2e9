"""Trouble on the event bus: events dropped, a backlog that grows, publishers that are held up."""

import asyncio

from loom.examples.trouble.pace import Scene
from loom.runtime import Event, Qos, Subscription

ROOM = 100_000
"""Enough for every event of a fault's life."""


async def drops(scene: Scene) -> None:
    """Nobody reads a realtime queue of four."""
    topic = "trouble.drops"
    subscription = scene.loom.bus.subscribe(topic, qos=Qos.REALTIME, capacity=4)
    async with asyncio.TaskGroup() as group:
        group.create_task(_read_once_mended(scene, subscription))
        async for _ in scene.beats(20):
            await scene.loom.bus.publish(topic, Event("reading"), Qos.REALTIME)


async def _read_once_mended(scene: Scene, subscription: Subscription) -> None:
    await scene.mended.wait()
    async for _ in subscription:
        pass


async def dropping(scene: Scene, share: float) -> None:
    """A share of all events finds a full realtime queue."""
    bus = scene.loom.bus
    read = bus.subscribe("trouble.read", qos=Qos.REALTIME, capacity=ROOM)
    bus.subscribe("trouble.unread", qos=Qos.REALTIME, capacity=1)
    owed = 0.0
    async with asyncio.TaskGroup() as group:
        group.create_task(_read_slowly(scene, read, pause=0))
        async for _ in scene.beats(500):
            owed += share * scene.broken
            topic, owed = "trouble.unread" if owed >= 1 else "trouble.read", owed % 1
            await bus.publish(topic, Event("reading"), Qos.REALTIME)


async def backlog(scene: Scene) -> None:
    """A subscriber takes a tenth of what is published."""
    topic = "trouble.backlog"
    subscription = scene.loom.bus.subscribe(topic, qos=Qos.BATCHED, capacity=ROOM)
    async with asyncio.TaskGroup() as group:
        group.create_task(_read_slowly(scene, subscription, pause=0.1))
        async for _ in scene.beats(100):
            if scene.broken or subscription.depth == 0:
                await scene.loom.bus.publish(topic, Event("order"))


async def slow(scene: Scene) -> None:
    """Ten publishers wait for the one slot of a subscriber that takes one event in a tenth of a second."""
    subscription = scene.loom.bus.subscribe("trouble.slow", capacity=1)
    async with asyncio.TaskGroup() as group:
        group.create_task(_read_slowly(scene, subscription, pause=0.1))
        for _ in range(10):
            group.create_task(_publish_ever(scene))


async def _publish_ever(scene: Scene) -> None:
    async for _ in scene.beats(1):
        await scene.loom.bus.publish("trouble.slow", Event("letter"))


async def _read_slowly(scene: Scene, subscription: Subscription, pause: float) -> None:
    async for _ in subscription:
        if scene.broken:
            await asyncio.sleep(pause)
