"""What became of one publish that did not go through at once everywhere."""

import asyncio
from time import time
from typing import Protocol

from loom.runtime.envelope import Envelope
from loom.runtime.reasons import EXPIRED, QUEUE_FULL


class Queue(Protocol):
    """What a receipt needs of a subscription."""

    def refuse(self, receipt: "Receipt", reason: str) -> None:
        """Drop the event, which never entered the queue."""


class Receipt:
    """Deliveries and drops of one event, and the subscriptions that it still waits for."""

    __slots__ = ("delivered", "dropped", "envelope", "reason", "settled", "waiting")

    def __init__(self, envelope: Envelope) -> None:
        """Nothing happened yet."""
        self.envelope = envelope
        self.delivered = 0
        self.dropped = 0
        self.reason = ""
        """Why the event was dropped last."""
        self.waiting: set[Queue] = set()
        """Subscriptions without a free slot."""
        self.settled: asyncio.Future[None] | None = None
        """Done when nothing is waited for any more."""

    def accept(self, subscription: Queue) -> None:
        """A slot became free, and the event is in it."""
        self.delivered += 1
        self._settle(subscription)

    def drop(self, subscription: Queue, reason: str) -> None:
        """The event will not reach this subscription."""
        self.dropped += 1
        self.reason = reason
        self._settle(subscription)

    async def settle(self, patience: float) -> int:
        """Wait until no subscription is waited for any more; how many took the event.

        A publisher that is cancelled, or waits longer than `patience` seconds or than the event lives, leaves
        the queues it stands in front of.
        """
        if not self.waiting:
            return self.delivered
        self.settled = asyncio.get_running_loop().create_future()
        coordination = self.envelope.coordination
        if coordination.expires_at is not None:
            patience = min(patience, max(coordination.expires_at - time(), 0))
        try:
            async with asyncio.timeout(patience):
                await self.settled
        except TimeoutError:
            pass  # counted below, as a cancellation is
        finally:
            reason = EXPIRED if coordination.expired(time()) else QUEUE_FULL
            for subscription in tuple(self.waiting):
                subscription.refuse(self, reason)
        return self.delivered

    def _settle(self, subscription: Queue) -> None:
        self.waiting.discard(subscription)
        if not self.waiting and self.settled is not None and not self.settled.done():
            self.settled.set_result(None)
