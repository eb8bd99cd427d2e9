"""The event bus: who gets what, who waits, what is dropped and why."""

import asyncio
import threading
import time

import pytest
from opentelemetry.trace import StatusCode, get_current_span

from loom.contract.metrics import event_bus as m
from loom.contract.spans import event_bus as spans
from loom.errors import LoomRuntimeError
from loom.runtime import BusLimits, Coordination, Envelope, Event, EventBus, Qos, Subscription
from loom.runtime.reasons import BACKPRESSURE, CLOSED, EXPIRED, NO_SUBSCRIBER, QUEUE_FULL
from loom.runtime.subscription import State
from loom.telemetry import Telemetry
from loom.telemetry.capture import Capture
from loom.telemetry.propagation import inside

pytestmark = pytest.mark.anyio

SECONDS = 20.0


async def take(subscription: Subscription, events: int) -> list[str]:
    return [(await subscription.get(SECONDS)).event.type for _ in range(events)]


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_event_reaches_every_subscription_that_matches(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        exact = bus.subscribe("orders.created")
        prefix = bus.subscribe("orders.*")
        everything = bus.subscribe("*")
        other = bus.subscribe("orders")
        assert await bus.publish("orders.created", Event("order")) == 3
        for subscription in (exact, prefix, everything):
            assert await take(subscription, 1) == ["order"]
        assert other.depth == 0
    assert captured.values(m.PUBLISHED) == {("orders.created", "batched"): 1}
    assert captured.value(m.DELIVERED, "orders.created") == 3


async def test_a_subscription_gets_only_the_types_it_asked_for(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        wanting = bus.subscribe("orders", types=("created", "paid"))
        for kind in ("created", "cancelled", "paid"):
            await bus.publish("orders", Event(kind))
        assert await take(wanting, 2) == ["created", "paid"]
    assert captured.value(m.DROPPED, "orders", NO_SUBSCRIBER) == 1


async def test_events_of_one_publisher_arrive_in_order() -> None:
    async with EventBus(Telemetry.disabled(), BusLimits(batched=2)) as bus, asyncio.TaskGroup() as group:
        subscription = bus.subscribe("x")
        reader = group.create_task(take(subscription, 20))
        for number in range(20):
            await bus.publish("x", Event(str(number)))
        assert await reader == [str(number) for number in range(20)]


async def test_a_realtime_event_without_a_slot_is_dropped_at_once(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x", capacity=1)
        assert await bus.publish("x", Event("a"), Qos.REALTIME) == 1
        assert await bus.publish("x", Event("b"), Qos.REALTIME) == 0
        assert subscription.refused == {QUEUE_FULL: 1}
    assert captured.value(m.DROPPED, "x", QUEUE_FULL) == 1


async def test_a_realtime_subscription_never_makes_a_publisher_wait() -> None:
    async with EventBus(Telemetry.disabled()) as bus:
        bus.subscribe("x", qos=Qos.REALTIME, capacity=1)
        assert await bus.publish("x", Event("a"), Qos.BATCHED) == 1
        assert await bus.publish("x", Event("b"), Qos.BACKGROUND) == 0


@pytest.mark.parametrize("qos", [Qos.BATCHED, Qos.BACKGROUND])
async def test_other_events_wait_for_a_slot(qos: Qos) -> None:
    async with EventBus(Telemetry.disabled()) as bus, asyncio.TaskGroup() as group:
        subscription = bus.subscribe("x", qos=qos, capacity=1)
        await bus.publish("x", Event("a"), qos)
        waiting = group.create_task(bus.publish("x", Event("b"), qos))
        await settle()
        assert not waiting.done()
        assert await take(subscription, 2) == ["a", "b"]
        assert await waiting == 1


async def test_a_slow_subscriber_does_not_delay_the_others(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus, asyncio.TaskGroup() as group:
        slow = bus.subscribe("x", capacity=1)
        quick = bus.subscribe("x")
        await bus.publish("x", Event("a"))
        waiting = [group.create_task(bus.publish("x", Event(kind))) for kind in "bcd"]
        assert await take(quick, 4) == ["a", "b", "c", "d"]
        assert not any(task.done() for task in waiting)
        assert captured.value(m.PUBLISHED, "x", "batched") == 4
        assert captured.value(m.BACKLOG, "x") == 1
        assert await take(slow, 4) == ["a", "b", "c", "d"]
        assert [await task for task in waiting] == [2, 2, 2]
    assert captured.value(m.DELIVERED, "x") == 8


async def test_a_publisher_that_is_cancelled_while_waiting_is_accounted_for(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x", capacity=1)
        await bus.publish("x", Event("a"))
        publisher = asyncio.ensure_future(bus.publish("x", Event("b")))
        await settle()
        publisher.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publisher
        assert await take(subscription, 1) == ["a"]
        assert subscription.depth == 0
        assert (subscription.accepted, subscription.refused) == (1, {QUEUE_FULL: 1})
    assert captured.value(m.PUBLISHED, "x", "batched") == 2
    assert captured.value(m.DROPPED, "x", QUEUE_FULL) == 1
    failed = captured.spans(spans.PUBLISH)[-1]
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "CancelledError"


async def test_a_publisher_does_not_wait_longer_than_its_limit(captured: Capture) -> None:
    async with EventBus(captured.telemetry, BusLimits(slot_wait=0.01)) as bus:
        bus.subscribe("x", capacity=1)
        assert await bus.publish("x", Event("a")) == 1
        assert await bus.publish("x", Event("b")) == 0
    assert captured.value(m.DROPPED, "x", QUEUE_FULL) == 1


async def test_a_waiting_event_expires(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x", capacity=1)
        await bus.publish("x", Event("a"))
        soon = Coordination(expires_at=time.time() + 0.01)
        assert await bus.publish("x", Event("b"), coordination=soon) == 0
        assert subscription.refused == {EXPIRED: 1}
    assert captured.value(m.DROPPED, "x", EXPIRED) == 1


async def test_an_event_that_expires_in_the_queue_is_skipped(
    captured: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x")
        later = time.time() + 1000
        await bus.publish("x", Event("a"), coordination=Coordination(expires_at=later))
        await bus.publish("x", Event("b"))
        monkeypatch.setattr("loom.runtime.subscription.time", lambda: later + 1)
        assert await take(subscription, 1) == ["b"]
        assert subscription.discarded == {EXPIRED: 1}
    assert captured.value(m.DROPPED, "x", EXPIRED) == 1


async def test_an_event_without_hops_left_is_dropped_for_every_subscription(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        bus.subscribe("x")
        bus.subscribe("*")
        assert await bus.publish("x", Event("a"), coordination=Coordination(ttl=0)) == 0
        assert await bus.publish("x", Event("a"), coordination=Coordination(ttl=1)) == 2
    assert captured.value(m.DROPPED, "x", EXPIRED) == 2


async def test_a_topic_under_pressure_sheds_realtime_events_only(captured: Capture) -> None:
    async with EventBus(captured.telemetry, BusLimits(backpressure=4, drain=0)) as bus:
        slow = bus.subscribe("x", capacity=8)
        for _ in range(4):
            await bus.publish("x", Event("a"))
        assert await bus.publish("x", Event("b"), Qos.REALTIME) == 0
        assert await bus.publish("x", Event("c")) == 1
        await take(slow, 5)
        assert await bus.publish("x", Event("d"), Qos.REALTIME) == 1
    assert captured.value(m.DROPPED, "x", BACKPRESSURE) == 1


async def test_the_backlog_is_the_real_depth_by_topic(captured: Capture) -> None:
    async with EventBus(captured.telemetry, BusLimits(drain=0)) as bus:
        subscription = bus.subscribe("*")
        for topic in ("a", "a", "thread.1.reply", "thread.2.reply", "thread.3.reply"):
            await bus.publish(topic, Event("e"))
        assert captured.values(m.BACKLOG) == {("a",): 2, ("thread.*.reply",): 3}
        await take(subscription, 3)
        assert captured.values(m.BACKLOG) == {("a",): 0, ("thread.*.reply",): 2}
    assert captured.values(m.BACKLOG) == {("a",): 0, ("thread.*.reply",): 0}


async def test_unsubscribing_drops_what_is_queued_and_what_waits(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus, asyncio.TaskGroup() as group:
        async with bus.subscribe("x", capacity=2) as subscription:
            for _ in range(2):
                await bus.publish("x", Event("a"))
            waiting = [group.create_task(bus.publish("x", Event("b"))) for _ in range(3)]
            await settle()
        assert [await task for task in waiting] == [0, 0, 0]
        assert (subscription.discarded, subscription.refused) == ({CLOSED: 2}, {CLOSED: 3})
        assert captured.values(m.ACTIVE_SUBSCRIPTIONS)["batched",] == 0
        subscription.close()
        assert [envelope async for envelope in subscription] == []
    assert captured.value(m.DROPPED, "x", CLOSED) == 5
    assert captured.values(m.ACTIVE_SUBSCRIPTIONS)["batched",] == 0


async def test_closing_lets_subscribers_take_what_is_queued(captured: Capture) -> None:
    bus = EventBus(captured.telemetry)
    subscription = bus.subscribe("x")
    for _ in range(5):
        await bus.publish("x", Event("a"))
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(take_all(subscription))
        await bus.close(SECONDS)
    assert await reader == 5
    assert captured.total(m.DROPPED) == 0
    assert sum(captured.values(m.ACTIVE_SUBSCRIPTIONS).values()) == 0


@pytest.mark.parametrize("waiting", [True, False], ids=["waits already", "was just started"])
async def test_closing_lets_a_reader_that_has_taken_nothing_yet_take_everything(
    captured: Capture, *, waiting: bool
) -> None:
    bus, taken = EventBus(captured.telemetry), 0
    subscription = bus.subscribe("x")

    async def read() -> None:
        nonlocal taken
        async for _ in subscription:
            await settle()
            taken += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        if waiting:
            await settle()
        for _ in range(5):
            await bus.publish("x", Event("a"))
        await bus.close(SECONDS)
    assert taken == 5
    assert captured.total(m.DROPPED) == 0


async def test_closing_waits_for_no_reader_that_has_given_up() -> None:
    bus = EventBus(Telemetry.disabled())
    subscription = bus.subscribe("x")
    with pytest.raises(TimeoutError):
        await subscription.get(0.001)
    await bus.publish("x", Event("a"))
    async with asyncio.timeout(SECONDS):
        await bus.close(2 * SECONDS)


async def test_a_reader_that_is_just_about_to_read_takes_what_is_queued() -> None:
    got: list[str] = []

    async def read(subscription: Subscription) -> None:
        async with asyncio.TaskGroup() as group:  # some turns of the loop until it reads
            group.create_task(asyncio.sleep(0))
        got.extend([envelope.event.type async for envelope in subscription])

    async with EventBus(Telemetry.disabled()) as bus:
        subscription = bus.subscribe("t")
        reader = asyncio.create_task(read(subscription))
        for number in range(5):
            await bus.publish("t", Event(str(number)))
    await reader
    assert got == list("01234")


async def test_a_drain_that_is_cancelled_leaves_nothing_open() -> None:
    async with EventBus(Telemetry.disabled()) as bus:
        subscription = bus.subscribe("t")
        await bus.publish("t", Event("chat"))
        draining = asyncio.create_task(bus.drain(subscription, timeout=SECONDS))
        await asyncio.sleep(0)
        draining.cancel()
        await asyncio.wait({draining})
        assert draining.cancelled()
        assert subscription.state is State.CLOSED


async def test_draining_leaves_closed_what_was_unsubscribed_meanwhile() -> None:
    bus = EventBus(Telemetry.disabled())
    subscription = bus.subscribe("x")
    async with asyncio.TaskGroup() as group:
        group.create_task(bus.close(SECONDS))
        await asyncio.sleep(0)
        subscription.close()
    assert subscription.state is State.CLOSED


async def test_closing_does_not_make_a_drain_wait_that_has_begun() -> None:
    bus = EventBus(Telemetry.disabled())
    subscription = bus.subscribe("x")
    for _ in range(3):
        await bus.publish("x", Event("a"))
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        assert await take(subscription, 1) == ["a"]
        group.create_task(bus.drain(subscription, timeout=2 * SECONDS))
        group.create_task(bus.close(2 * SECONDS))
        await settle()
        assert await group.create_task(take_all(subscription)) == 2


async def test_closing_drops_what_nobody_takes_in_time(captured: Capture) -> None:
    bus = EventBus(captured.telemetry)
    bus.subscribe("x", qos=Qos.REALTIME)
    idle = bus.subscribe("y")
    await bus.publish("x", Event("a"))
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(take_all(idle))
        await bus.close(0.01)
    assert await reader == 0
    assert captured.value(m.DROPPED, "x", CLOSED) == 1
    assert sum(captured.values(m.ACTIVE_SUBSCRIPTIONS).values()) == 0
    await bus.close()


async def test_a_closed_bus_refuses_and_counts(captured: Capture) -> None:
    bus = EventBus(captured.telemetry)
    bus.subscribe("x")
    await bus.close()
    with pytest.raises(LoomRuntimeError, match="the bus is closed"):
        await bus.publish("x", Event("a"))
    with pytest.raises(LoomRuntimeError, match="the bus is closed"):
        bus.subscribe("x")
    assert captured.value(m.DROPPED, "x", CLOSED) == 1
    assert captured.total(m.PUBLISHED) == 0


async def take_all(subscription: Subscription) -> int:
    return len([envelope async for envelope in subscription])


async def test_each_event_goes_to_one_of_several_readers() -> None:
    async with EventBus(Telemetry.disabled()) as bus, asyncio.TaskGroup() as group:
        subscription = bus.subscribe("x")
        readers = [group.create_task(take_all(subscription)) for _ in range(3)]
        for _ in range(30):
            await bus.publish("x", Event("a"))
            await asyncio.sleep(0)
        await bus.drain(subscription, timeout=SECONDS)
        counts = [await reader for reader in readers]
    assert sum(counts) == 30
    assert all(counts)


async def test_an_event_that_waited_for_a_slot_wakes_a_reader_of_its_own() -> None:
    async with EventBus(Telemetry.disabled()) as bus, asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        subscription = bus.subscribe("x", capacity=1)
        readers = [group.create_task(subscription.get(SECONDS)) for _ in range(3)]
        await settle()
        for kind in "abc":
            group.create_task(bus.publish("x", Event(kind)))
        assert [(await reader).event.type for reader in readers] == ["a", "b", "c"]


async def test_a_reader_that_is_cancelled_passes_its_event_on() -> None:
    async with EventBus(Telemetry.disabled()) as bus, asyncio.TaskGroup() as group:
        subscription = bus.subscribe("x")
        first = group.create_task(take(subscription, 1))
        second = group.create_task(take(subscription, 1))
        await settle()
        await bus.publish("x", Event("a"))
        first.cancel()
        assert await second == ["a"]
        third = group.create_task(take(subscription, 1))
        await settle()
        third.cancel()
        await settle()
        await bus.publish("x", Event("b"))
        assert await take(subscription, 1) == ["b"]


async def test_publishing_from_another_thread_is_refused_with_the_way_to_do_it() -> None:
    async with EventBus(Telemetry.disabled()) as bus:
        bus.subscribe("x")
        refused: list[LoomRuntimeError] = []

        def publish() -> None:
            try:
                asyncio.run(bus.publish("x", Event("a")))
            except LoomRuntimeError as error:
                refused.append(error)

        await asyncio.to_thread(publish)
        assert "publish_threadsafe" in str(refused[0])


async def test_unsubscribing_from_another_thread_is_refused_and_changes_nothing(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x")
        with pytest.raises(LoomRuntimeError, match="call_soon_threadsafe"):
            await asyncio.to_thread(bus.unsubscribe, subscription)
        assert await bus.publish("x", Event("a")) == 1
        asyncio.get_running_loop().call_soon_threadsafe(bus.unsubscribe, subscription)
        await asyncio.sleep(0)
        assert captured.values(m.ACTIVE_SUBSCRIPTIONS)["batched",] == 0


async def test_another_thread_publishes_threadsafe_in_its_own_trace(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x")

        def publish() -> int:
            with captured.telemetry.span(spans.SUBSCRIBE, {}):
                return bus.publish_threadsafe("x", Event("a")).result(SECONDS)

        assert await asyncio.to_thread(publish) == 1
        assert await take(subscription, 1) == ["a"]
    (published,) = captured.spans(spans.PUBLISH)
    assert published.parent is not None


def test_a_bus_without_an_event_loop_cannot_be_published_to_from_a_thread() -> None:
    with pytest.raises(LoomRuntimeError, match="no event loop yet"):
        EventBus(Telemetry.disabled()).publish_threadsafe("x", Event("a"))


async def test_a_bus_belongs_to_one_event_loop() -> None:
    async with EventBus(Telemetry.disabled()) as bus:
        refused: list[LoomRuntimeError] = []

        async def subscribe() -> None:
            try:
                bus.subscribe("x")
            except LoomRuntimeError as error:
                refused.append(error)

        thread = threading.Thread(target=lambda: asyncio.run(subscribe()))
        thread.start()
        thread.join()
        assert "another event loop" in str(refused[0])


async def test_whoever_handles_an_event_continues_its_trace(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x")
        await bus.publish("x", Event("a"))
        envelope = await subscription.get(SECONDS)
        with inside(envelope.context):
            assert get_current_span().is_recording() is False
            await bus.publish("y", Event("b"))
    first, second = captured.spans(spans.PUBLISH)
    assert second.parent == first.context


async def test_an_envelope_from_another_process_goes_on_in_its_trace(captured: Capture) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with EventBus(captured.telemetry) as bus:
        subscription = bus.subscribe("x")
        arrived = Envelope.from_headers("x", Event("a"), {"traceparent": parent, "ttl": "3"})
        assert await bus.forward(arrived) == 1
        envelope = await subscription.get(SECONDS)
        assert envelope.to_headers()["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
        assert envelope.coordination.ttl == 3
    (span,) = captured.spans(spans.PUBLISH)
    assert span.parent is not None
    assert span.parent.is_remote


async def test_a_dropped_event_does_not_look_well_in_its_trace(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        bus.subscribe("thread.8f3a.reply", capacity=1)
        for kind in "ab":
            await bus.publish("thread.8f3a.reply", Event(kind, id=kind), Qos.REALTIME)
    good, bad = captured.spans(spans.PUBLISH)
    assert good.status.status_code is StatusCode.OK
    assert bad.status.status_code is StatusCode.ERROR
    assert bad.attributes == {
        "event_id": "b",
        "topic": "thread.*.reply",
        "event_type": "b",
        "qos": "realtime",
        "delivered": 0,
        "dropped": 1,
        "messaging.system": "loom",
        "messaging.operation.type": "send",
        "messaging.destination.name": "thread.8f3a.reply",
        "messaging.message.id": "b",
        "error.type": QUEUE_FULL,
    }


async def test_a_malformed_topic_is_refused_and_counts_nothing(captured: Capture) -> None:
    async with EventBus(captured.telemetry) as bus:
        with pytest.raises(LoomRuntimeError, match="is no topic"):
            await bus.publish("orders..created", Event("a"))
        with pytest.raises(LoomRuntimeError, match="is no topic"):
            bus.subscribe("orders.*.created")
    assert captured.total(m.PUBLISHED) == 0
    assert captured.total(m.ACTIVE_SUBSCRIPTIONS) == 0
