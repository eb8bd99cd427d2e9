"""Shows the event bus: three qualities of service, and each way to lose an event."""

import asyncio
from itertools import cycle

from loom.contract import attributes as a
from loom.examples.tally import Done
from loom.runtime import BusLimits, Coordination, Event, EventBus, Qos, Subscription
from loom.telemetry import Telemetry

QUEUE_FULL, BACKPRESSURE, NO_SUBSCRIBER, EXPIRED, CLOSED = a.DROP_REASON.values

LIMITS = BusLimits(realtime=4, batched=8, background=16, backpressure=16)
"""Small, so that little is needed to fill them."""
SECONDS = 10.0


async def show(telemetry: Telemetry, events: int, done: Done) -> None:
    """Publish exactly `events` events."""
    async with EventBus(telemetry, LIMITS) as bus, asyncio.timeout(SECONDS * 3):
        tour = _Tour(bus, done)
        await tour.overrun()
        await tour.press()
        await tour.miss()
        await tour.expire()
        await tour.leave()
        await tour.deliver(events - done.published)


class _Tour:
    """One stop after another."""

    def __init__(self, bus: EventBus, done: Done) -> None:
        self._bus = bus
        self._done = done

    async def deliver(self, events: int) -> None:
        """Two subscribers that read: one of a topic, one of everything below `orders`."""
        qualities = cycle(Qos)
        subscriptions = [
            self._bus.subscribe("orders.created", capacity=64),
            self._bus.subscribe("orders.*", qos=Qos.BACKGROUND, capacity=64),
        ]
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(_read(subscription)) for subscription in subscriptions]
            for number in range(events):
                await self._publish("orders.created", Event("order", {"number": number}), next(qualities))
                await asyncio.sleep(0)  # let them read: realtime events do not wait
            await self._bus.drain(*subscriptions, timeout=SECONDS)
        print(f"delivered {sum(reader.result() for reader in readers)} events to two subscribers")

    async def overrun(self) -> None:
        """A realtime subscriber that does not read loses what does not fit."""
        with_room = LIMITS.realtime
        subscription = self._bus.subscribe("sensor.temperature", qos=Qos.REALTIME)
        for _ in range(with_room + 3):
            await self._publish("sensor.temperature", Event("reading", 21.5), Qos.REALTIME)
        self._done.dropped[QUEUE_FULL] += 3
        self._close(subscription, with_room)

    async def press(self) -> None:
        """A topic with too much queued sheds realtime events, although a queue has room."""
        slow = self._bus.subscribe("logs.line", qos=Qos.BACKGROUND)
        for _ in range(LIMITS.background):
            await self._publish("logs.line", Event("line"), Qos.BACKGROUND)
        quick = self._bus.subscribe("logs.line", qos=Qos.REALTIME)
        await self._publish("logs.line", Event("line"), Qos.REALTIME)
        self._done.dropped[BACKPRESSURE] += 2
        self._close(slow, LIMITS.background)
        self._close(quick, 0)

    async def miss(self) -> None:
        """Nobody listens."""
        await self._publish("nobody.listens", Event("whisper"), Qos.BATCHED)
        self._done.dropped[NO_SUBSCRIBER] += 1

    async def expire(self) -> None:
        """An event that was answered too often dies out."""
        subscription = self._bus.subscribe("thread.8f3a.reply")
        await self._publish("thread.8f3a.reply", Event("echo"), Qos.BATCHED, Coordination(ttl=0))
        self._done.dropped[EXPIRED] += 1
        self._close(subscription, 0)

    async def leave(self) -> None:
        """Who leaves loses what it has not read."""
        subscription = self._bus.subscribe("agent.planner.replies")
        await self._publish("agent.planner.replies", Event("answer"), Qos.BATCHED)
        self._close(subscription, 1)

    def _close(self, subscription: Subscription, unread: int) -> None:
        subscription.close()
        if unread:
            self._done.dropped[CLOSED] += unread

    async def _publish(
        self, topic: str, event: Event, qos: Qos, coordination: Coordination | None = None
    ) -> None:
        self._done.published_by_qos[qos.label] += 1
        self._done.delivered += await self._bus.publish(topic, event, qos, coordination or Coordination())


async def _read(subscription: Subscription) -> int:
    return len([envelope async for envelope in subscription])
