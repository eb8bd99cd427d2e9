"""A million events among readers that fail and publishers that give up; 100,000 topics; other threads."""

import asyncio
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random

import psutil
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from loom.contract import metrics
from loom.contract.metric import Metric
from loom.contract.metrics import agent, event_bus, router
from loom.contract.metrics import telemetry as own
from loom.errors import LoomRuntimeError
from loom.runtime import ActionBroker, BusLimits, Coordination, Event, EventBus, Qos, Subscription
from loom.runtime.agent import (
    Action,
    AgentConfig,
    AgentContext,
    AgentOptions,
    AgentRuntime,
    Crash,
    RestartPolicy,
    ScriptedAgent,
)
from loom.runtime.reasons import BACKPRESSURE, CLOSED, EXPIRED, NO_SUBSCRIBER, QUEUE_FULL
from loom.runtime.router import FixedEstimator, Landscape, Model, Router
from loom.runtime.topic import matches
from loom.telemetry import Sampling, Settings, Telemetry
from loom.telemetry.capture import Capture, MemorySpans

MILLION = 1_000_000
PUBLISHERS = 20
TOPICS = tuple(f"load.{name}" for name in "abcdefg")
QUIET = "load.nobody"
LIMITS = BusLimits(backpressure=24, slot_wait=0.02, drain=0)
NEVER = Coordination(ttl=0)


class Forgetful(MemorySpans):
    """Acknowledges spans without keeping them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One batch."""
        del spans
        return SpanExportResult.SUCCESS


class Book(EventBus):
    """A bus that writes down, apart from its own counting, which subscription each publish was meant for."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nobody is there yet."""
        super().__init__(telemetry, LIMITS)
        self.everybody: list[Subscription] = []
        self.published: Counter[tuple[str, str]] = Counter()
        """(topic, quality of service) → publishes that began."""
        self.meant: Counter[str] = Counter()
        """Subscription → events that it should get, or be told of as dropped."""
        self.unheard = 0
        self._open: dict[str, list[Subscription]] = defaultdict(list)

    async def tell(self, topic: str, qos: Qos, coordination: Coordination = Coordination()) -> int:  # noqa: B008 - frozen
        """Publish, and write it down at the moment at which that happens."""
        wanting = self._open[topic]
        for subscription in wanting:
            self.meant[subscription.id] += 1
        self.unheard += not wanting
        self.published[topic, qos.label] += 1
        return await super().publish(topic, Event("e"), qos, coordination)

    def subscribe(
        self, pattern: str, types: Iterable[str] = (), qos: Qos = Qos.BATCHED, capacity: int = 0
    ) -> Subscription:
        """Subscribe, and remember."""
        subscription = super().subscribe(pattern, types, qos, capacity)
        self.everybody.append(subscription)
        for topic in (*TOPICS, QUIET):
            if matches(pattern, topic):
                self._open[topic].append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Nothing more is meant for it."""
        self._leave(subscription)
        super().unsubscribe(subscription)

    async def drain(self, *subscriptions: Subscription, timeout: float) -> None:  # noqa: ASYNC109 - the bus's own
        """Nothing more is meant for them either."""
        for subscription in subscriptions:
            self._leave(subscription)
        await super().drain(*subscriptions, timeout=timeout)

    def _leave(self, subscription: Subscription) -> None:
        for wanting in self._open.values():
            if subscription in wanting:
                wanting.remove(subscription)


class Chaos:
    """Everything goes wrong now and then, always in the same way."""

    def __init__(self, bus: Book) -> None:
        """Nothing happened yet."""
        self.bus = bus
        self.luck = Random(7)  # noqa: S311 - which event fails
        self.taken: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
        self.done = False

    async def read(self, number: int) -> None:
        """Read, fail, leave with events still queued and publishers still waiting, come back."""
        pattern = TOPICS[number % 5]  # two topics have two readers each, one of them an agent besides
        while not self.done:
            subscription = self.bus.subscribe(pattern, qos=Qos(number % 3), capacity=8 + 4 * number)
            self.taken[subscription.id] = 0
            try:
                async with subscription:
                    await self._handle_all(subscription, number)
            except ZeroDivisionError:
                self.happened["failed"] += 1
            await asyncio.sleep(0)

    async def _handle_all(self, subscription: Subscription, number: int) -> None:
        slow = number % 2
        async for _ in subscription:
            self.taken[subscription.id] += 1
            fate = self.luck.random()
            if fate < 0.0002 or (fate > 0.999 and subscription._waiting):
                self.happened["left while publishers waited"] += bool(subscription._waiting)
                return
            if fate < 0.0005:
                raise ZeroDivisionError
            if slow and fate > 0.98:
                for _ in range(20):
                    await asyncio.sleep(0)

    async def publish(self, number: int) -> None:
        """One share of the million: in realtime, batched, in the background, expired, given up half-way."""
        for event in range(MILLION // PUBLISHERS):
            topic = QUIET if event % 50 == 49 else TOPICS[(number + event) % len(TOPICS)]
            qos = Qos((number + event) % 3)
            if event % 20:
                await self.bus.tell(topic, qos, NEVER if event % 97 == 1 else Coordination())
            else:
                await self._give_up(topic, qos)
            if event % 7 == 0:
                await asyncio.sleep(0)

    async def _give_up(self, topic: str, qos: Qos) -> None:
        task = asyncio.ensure_future(self.bus.tell(topic, qos))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        self.happened["cancelled while waiting"] += task.cancelled()

    async def run(self, handler: ScriptedAgent) -> None:
        """Seven readers of their own and an agent, twenty publishers."""
        telemetry = self.bus._telemetry
        map_ = Landscape((Model("small"),))
        options = AgentOptions(drain=1, restart=RestartPolicy(limit=10**9), pause=_no_pause)
        async with self.bus, ActionBroker(telemetry) as broker:
            routes = Router(map_, FixedEstimator(), telemetry)
            async with AgentRuntime(self.bus, broker, routes, telemetry, options) as agents:
                config = AgentConfig("one", topics=(TOPICS[0],), capacity=16, handle_seconds=60)
                agents.create(config, handler)
                async with asyncio.TaskGroup() as group:
                    readers = [group.create_task(self.read(number)) for number in range(len(TOPICS))]
                    await asyncio.wait([group.create_task(self.publish(n)) for n in range(PUBLISHERS)])
                    self.done = True
                    for reader in readers:
                        reader.cancel()


async def _no_pause(_: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.slow
def test_of_a_million_events_each_is_delivered_or_dropped_for_a_reason_for_every_subscription(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, "loom")
    captured = Capture(Settings(sampling=Sampling(0.001)))
    chaos = Chaos(Book(captured.telemetry))
    luck = Random(8)  # noqa: S311 - which event fails

    async def stumble(_: Event, __: AgentContext) -> Sequence[Action]:
        fate = luck.random()
        if fate < 0.001:
            raise Crash
        if fate < 0.05:
            raise ValueError
        return ()

    asyncio.run(chaos.run(ScriptedAgent(stumble)))
    bus = chaos.bus
    assert bus.published.total() == MILLION
    assert captured.values(event_bus.PUBLISHED) == bus.published
    by_reason: Counter[str] = Counter({NO_SUBSCRIBER: bus.unheard})
    for one in bus.everybody:
        assert bus.meant[one.id] == one.accepted + one.refused.total()
        assert one.depth == 0
        # What a subscription says was taken is what its reader counted; the agent's are compared below.
        assert one.accepted == chaos.taken.get(one.id, one.taken) + one.discarded.total()
        by_reason += one.refused + one.discarded
    recorded: Counter[str] = Counter()
    for (_, reason), value in captured.values(event_bus.DROPPED).items():
        recorded[reason] += int(value)
    assert recorded == by_reason
    assert captured.total(event_bus.DELIVERED) == sum(one.accepted for one in bus.everybody)
    assert captured.total(event_bus.PUBLISH_LATENCY) == MILLION
    handled = captured.total(agent.EVENTS_PROCESSED)
    assert handled == sum(one.taken for one in bus.everybody if one.id not in chaos.taken)
    assert captured.value(agent.EVENTS_PROCESSED, "agent", "error") > 1000
    assert captured.total(router.DECISIONS) == handled
    assert captured.total(event_bus.ACTIVE_SUBSCRIPTIONS) == captured.total(event_bus.BACKLOG) == 0
    # All of it happened, and often.
    often = {reason for reason, times in recorded.items() if times > 100}
    assert often == {QUEUE_FULL, BACKPRESSURE, NO_SUBSCRIBER, EXPIRED, CLOSED}
    assert min(chaos.happened[what] for what in ("failed", "cancelled while waiting")) > 100
    assert chaos.happened["left while publishers waited"] > 10
    ledger = captured.telemetry.ledger
    captured.telemetry.shutdown(60)
    assert ledger.created == ledger.exported + sum(ledger.lost.values()) > 100


BLOCKS = 10
WIDTH = 10_000
"""New topics in each block; every topic is published to ten times."""


@pytest.mark.slow
def test_a_million_events_over_a_hundred_thousand_topics_keep_memory_and_series_flat() -> None:
    process = psutil.Process()
    captured = Capture(Settings(sampling=Sampling(0.01)))
    captured._spans.__class__ = Forgetful

    async def run() -> list[int]:
        sizes = []
        async with EventBus(captured.telemetry) as bus, asyncio.TaskGroup() as group:
            subscription = bus.subscribe("load.*")
            reader = group.create_task(count(subscription))
            for block in range(BLOCKS):
                await fill(bus, block)
                sizes.append(process.memory_info().rss)
            await bus.drain(subscription, timeout=60)
            assert await reader == MILLION
        return sizes

    sizes = asyncio.run(run())
    assert captured.total(event_bus.PUBLISHED) == captured.total(event_bus.DELIVERED) == MILLION
    for metric in metrics.ALL:
        within_budget(captured, metric)
    topic = event_bus.DELIVERED.attributes[0]
    assert len(captured.values(event_bus.DELIVERED)) == topic.limit
    assert captured.value(own.ATTRIBUTE_OVERFLOW, event_bus.DELIVERED.name, topic.name) > 0
    # The first blocks fill queues, routes and the allocator's own stores.
    assert max(sizes[2:]) - sizes[1] < 3 * 2**20, sizes
    captured.telemetry.shutdown()


async def fill(bus: EventBus, block: int) -> None:
    """A tenth of the events, on topics that were not there before."""
    for number in range(block * WIDTH, (block + 1) * WIDTH):
        topic = f"load.topic-{word(number)}"
        for _ in range(MILLION // BLOCKS // WIDTH):
            await bus.publish(topic, Event("e"))
        if number % 50 == 0:
            await asyncio.sleep(0)


def within_budget(captured: Capture, metric: Metric) -> None:
    values = captured.values(metric)
    assert len(values) <= metric.cardinality
    for position, attribute in enumerate(metric.attributes):
        seen = {labels[position] for labels in values}
        assert len(seen) <= attribute.limit + (attribute in metric.conditional)


def word(number: int) -> str:
    """A name without digits: nothing that looks like an id."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}")


async def count(subscription: Subscription) -> int:
    events = 0  # not a list: that would be the growth
    async for _ in subscription:
        events += 1
    return events


THREADS = 8
SHARE = 1_000


async def _publish(bus: EventBus) -> object:
    return await bus.publish("x", Event("stray"))


async def _subscribe(bus: EventBus) -> object:
    return bus.subscribe("x")


@asynccontextmanager
async def entered(captured: Capture) -> AsyncIterator[tuple[EventBus, Subscription]]:
    async with EventBus(captured.telemetry, BusLimits(drain=0)) as bus:
        yield bus, bus.subscribe("x", capacity=THREADS * SHARE)


def test_events_of_many_threads_are_all_accounted_for_and_in_the_order_of_each(captured: Capture) -> None:
    async def run() -> list[tuple[int, int]]:
        async with entered(captured) as (bus, subscription):

            def publish(thread: int) -> int:
                futures = [
                    bus.publish_threadsafe("x", Event("e", (thread, number)), Qos(number % 3))
                    for number in range(SHARE)
                ]
                return sum(future.result(30) for future in futures)

            sums = await asyncio.gather(*(asyncio.to_thread(publish, n) for n in range(THREADS)))
            assert sums == [SHARE] * THREADS
            return [(await subscription.get(10)).event.payload for _ in range(THREADS * SHARE)]  # type: ignore[misc] # pairs

    seen = asyncio.run(run())
    for thread in range(THREADS):
        assert [number for who, number in seen if who == thread] == list(range(SHARE))
    assert captured.total(event_bus.PUBLISHED) == captured.value(event_bus.DELIVERED, "x") == THREADS * SHARE


@pytest.mark.parametrize("crossing", [_publish, _subscribe])
def test_using_a_bus_in_another_thread_is_refused_says_what_to_do_and_changes_nothing(
    captured: Capture, crossing: Callable[[EventBus], Coroutine[None, None, object]]
) -> None:
    refused: list[BaseException] = []

    async def run() -> None:
        async with entered(captured) as (bus, subscription):

            def stray() -> None:
                try:
                    asyncio.run(crossing(bus))
                except LoomRuntimeError as error:
                    refused.append(error)

            for _ in range(20):
                thread = threading.Thread(target=stray)
                thread.start()
                thread.join()
            assert subscription.depth == 0

    asyncio.run(run())
    assert len(refused) == 20
    assert all("publish_threadsafe" in str(error) for error in refused)
    assert captured.total(event_bus.PUBLISHED) == 0
    assert captured.values(event_bus.ACTIVE_SUBSCRIPTIONS)["batched",] == 0


def test_a_thread_that_publishes_when_the_event_loop_is_gone_is_told_so(captured: Capture) -> None:
    async def run() -> EventBus:
        async with entered(captured) as (bus, _):
            return bus

    bus = asyncio.run(run())
    with pytest.raises(LoomRuntimeError, match="event loop"):
        bus.publish_threadsafe("x", Event("late"))
