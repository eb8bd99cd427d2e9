"""The event bus, and its limit: plain queues."""

import asyncio

from bench.burst import BURST, Local, Seen
from bench.recorder import Recorder
from loom.contract.metrics import event_bus as m
from loom.contract.spans import event_bus as spans
from loom.runtime import Event, EventBus, Subscription

TOPIC = "bench.topic"


class Queues(Local):
    """The limit: an asyncio.Queue for each subscriber."""

    def __init__(self, group: asyncio.TaskGroup, subscribers: int) -> None:
        """A consumer each."""
        self._seen = Seen()
        self._queues: list[asyncio.Queue[Event]] = [asyncio.Queue() for _ in range(subscribers)]
        self._consumers = [group.create_task(self._consume(queue)) for queue in self._queues]
        self._event = Event("tick")

    async def burst(self) -> None:
        """See `Local.burst`."""
        self._seen.expect(BURST * len(self._queues))
        for _ in range(BURST):
            for queue in self._queues:
                queue.put_nowait(self._event)
        await self._seen.wait()

    async def audit(self, events: int) -> list[str]:
        """See `Contestant.audit`; stops the consumers."""
        for consumer in self._consumers:
            consumer.cancel()
        seen, expected = self._seen.count, events * len(self._queues)
        return [] if seen == expected else [f"{seen} events delivered instead of {expected}"]

    async def _consume(self, queue: asyncio.Queue[Event]) -> None:
        seen = self._seen
        while True:
            await seen.handler(await queue.get())
            seen.check()


class Bus(Local):
    """Publish to so many subscribers; each event is made anew."""

    def __init__(self, bus: EventBus, group: asyncio.TaskGroup, recorder: Recorder, subscribers: int) -> None:
        """A consumer each."""
        self._seen = Seen()
        self._bus = bus
        self._recorder = recorder
        self._subscriptions = [bus.subscribe(TOPIC) for _ in range(subscribers)]
        for subscription in self._subscriptions:
            group.create_task(self._consume(subscription))

    async def burst(self) -> None:
        """See `Local.burst`."""
        self._seen.expect(BURST * len(self._subscriptions))
        for _ in range(BURST):
            await self._bus.publish(TOPIC, Event("tick"))
        await self._seen.wait()

    def settle(self) -> None:
        """See `Local.settle`."""
        self._recorder.settle()

    async def audit(self, events: int) -> list[str]:
        """See `Contestant.audit`; closes the subscriptions."""
        for subscription in self._subscriptions:
            subscription.close()
        delivered = events * len(self._subscriptions)
        expected = {m.PUBLISHED: events, m.PUBLISH_LATENCY: events, m.DELIVERED: delivered, m.DROPPED: 0}
        return self._recorder.audit(expected, (spans.PUBLISH,), events)

    async def _consume(self, subscription: Subscription) -> None:
        seen = self._seen
        async for envelope in subscription:
            await seen.handler(envelope)
            seen.check()
