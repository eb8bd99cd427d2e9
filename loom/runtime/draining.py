"""Letting subscribers take what is queued for them."""

import asyncio
from collections.abc import Iterable

from loom.runtime.subscription import State, Subscription

_TURNS = 4
"""Of the loop, in which readers that were just started or woken get to their queue; else nobody seems to."""


async def drain(subscriptions: Iterable[Subscription], timeout: float) -> None:  # noqa: ASYNC109 - one deadline
    """Wait until those that somebody reads have nothing left, for `timeout` seconds at the most."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    waiting = [each.drain() for each in subscriptions if each.state is not State.CLOSED]
    if waiting:
        await asyncio.wait(waiting, timeout=timeout)
