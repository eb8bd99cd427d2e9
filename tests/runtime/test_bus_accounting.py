"""Whatever happens to a bus, every event is accounted for and every gauge tells the truth."""

import asyncio
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loom.contract.metrics import event_bus as m
from loom.contract.metrics import telemetry as own
from loom.runtime import BusLimits, Coordination, Event, EventBus, Qos, Subscription
from loom.runtime.reasons import NO_SUBSCRIBER
from loom.runtime.topic import matches
from loom.telemetry import Sampling, Settings
from loom.telemetry.capture import Capture

TOPICS = ("a", "a.b", "a.b.c", "d")
PATTERNS = (*TOPICS, "a.*", "a.b.*", "*")
INDEX = st.integers(0, 1000)


class Accounting(RuleBasedStateMachine):
    """Drives a bus at random, and counts beside it."""

    def __init__(self) -> None:
        """A loop of its own: rules are plain functions."""
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.subscriptions: list[Subscription] = []
        self.taken: Counter[str] = Counter()
        self.publishers: list[asyncio.Task[int]] = []
        self.published = 0
        self.unheard = 0

    @initialize(ratio=st.sampled_from([0.0, 0.5, 1.0]), pressure=st.sampled_from([2, 10_000]))
    def open(self, ratio: float, pressure: int) -> None:
        self.captured = Capture(Settings(sampling=Sampling(ratio)))
        self.bus = EventBus(self.captured.telemetry, BusLimits(backpressure=pressure, drain=0))

    def settle(self) -> None:
        async def turn() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())

    def open_ones(self) -> list[Subscription]:
        return [one for one in self.subscriptions if one in self.bus._registry.all()]

    @rule(pattern=st.sampled_from(PATTERNS), qos=st.sampled_from(Qos), capacity=st.integers(1, 3))
    def subscribe(self, pattern: str, qos: Qos, capacity: int) -> None:
        async def subscribe() -> Subscription:
            types = ("wanted",) if capacity == 2 else ()
            return self.bus.subscribe(pattern, types, qos, capacity)

        self.subscriptions.append(self.loop.run_until_complete(subscribe()))

    @rule(
        topic=st.sampled_from(TOPICS),
        kind=st.sampled_from(["wanted", "other"]),
        qos=st.sampled_from(Qos),
        ttl=st.sampled_from([0, 1, 16]),
    )
    def publish(self, topic: str, kind: str, qos: Qos, ttl: int) -> None:
        wanting = [
            one
            for one in self.open_ones()
            if matches(one.interest.pattern, topic) and (one.types is None or kind in one.types)
        ]
        self.published += 1
        self.unheard += not wanting
        coroutine = self.bus.publish(topic, Event(kind), qos, Coordination(ttl=ttl))
        self.publishers.append(self.loop.create_task(coroutine))
        self.settle()

    @precondition(lambda self: self.open_ones())
    @rule(index=INDEX)
    def take(self, index: int) -> None:
        ready = [one for one in self.open_ones() if one.depth]
        if ready:
            subscription = ready[index % len(ready)]
            self.loop.run_until_complete(subscription.get(10))
            self.taken[subscription.id] += 1
            self.settle()

    @precondition(lambda self: self.publishers)
    @rule(index=INDEX)
    def give_up(self, index: int) -> None:
        self.publishers[index % len(self.publishers)].cancel()
        self.settle()

    @precondition(lambda self: self.open_ones())
    @rule(index=INDEX)
    def unsubscribe(self, index: int) -> None:
        ones = self.open_ones()
        ones[index % len(ones)].close()
        self.settle()

    @invariant()
    def every_event_is_accounted_for(self) -> None:
        for one in self.subscriptions:
            assert one.accepted == self.taken[one.id] + one.depth + one.discarded.total()
        captured = self.captured
        dropped = sum(one.refused.total() + one.discarded.total() for one in self.subscriptions)
        assert captured.total(m.PUBLISHED) == self.published
        assert captured.total(m.DELIVERED) == sum(one.accepted for one in self.subscriptions)
        assert captured.total(m.DROPPED) == dropped + self.unheard
        by_reason: Counter[str] = Counter({NO_SUBSCRIBER: self.unheard} if self.unheard else {})
        for one in self.subscriptions:
            by_reason += one.refused + one.discarded
        recorded: Counter[str] = Counter()
        for (_, reason), value in captured.values(m.DROPPED).items():
            recorded[reason] += int(value)
        assert recorded == by_reason

    @invariant()
    def every_gauge_tells_the_truth(self) -> None:
        assert self.captured.total(m.BACKLOG) == sum(one.depth for one in self.open_ones())
        active = Counter(one.interest.qos.label for one in self.open_ones())
        values = self.captured.values(m.ACTIVE_SUBSCRIPTIONS)
        assert values == {(qos.label,): active[qos.label] for qos in Qos}

    def teardown(self) -> None:
        async def finish() -> None:
            await self.bus.close()
            await asyncio.gather(*self.publishers, return_exceptions=True)

        self.loop.run_until_complete(finish())
        self.every_event_is_accounted_for()
        self.every_gauge_tells_the_truth()
        latencies = self.captured.total(m.PUBLISH_LATENCY)
        assert latencies == self.published
        ledger = self.captured.telemetry.ledger
        assert self.captured.value(own.SPANS_EXPORTED) == ledger.created == ledger.exported
        self.captured.telemetry.shutdown()
        self.loop.close()


TestAccounting = Accounting.TestCase
TestAccounting.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
