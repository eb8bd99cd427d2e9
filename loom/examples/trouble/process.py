"""Trouble of a whole process: it ends, or it sends what nobody can store."""

import asyncio

from loom.contract import attributes as a
from loom.contract.spans.event_bus import PUBLISH
from loom.examples.trouble.pace import Scene

LIFE = 18.0
"""Seconds: long enough to be missed, where rules look back for thirty."""
HUGE = 11 * 2**20
"""Characters: more than Jaeger's store takes in one transaction, less than a message may have."""


async def brief(scene: Scene) -> None:
    """The process ends after a while."""
    await asyncio.sleep(LIFE)
    scene.loom.stop()


async def huge(scene: Scene) -> None:
    """Spans that are too large to be stored."""
    async for _ in scene.broken_beats(1):
        with scene.loom.telemetry.span(PUBLISH, {a.MESSAGING_DESTINATION.name: "x" * HUGE}):
            pass
