"""The event bus: publish to a topic, and every subscription that matches gets the event."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterable
from concurrent.futures import Future
from random import getrandbits
from threading import get_ident
from time import perf_counter_ns
from typing import Self

from opentelemetry.context import Context

from loom.contract.spans import event_bus as spans
from loom.errors import LoomRuntimeError, Problem
from loom.runtime import draining
from loom.runtime import topic as topics
from loom.runtime.bus_metrics import BusMetrics
from loom.runtime.bus_spans import publish_attributes, record_outcome, subscription_attributes
from loom.runtime.coordination import DEFAULT, Coordination
from loom.runtime.envelope import EMPTY, Envelope
from loom.runtime.event import Event
from loom.runtime.limits import BusLimits
from loom.runtime.qos import Qos
from loom.runtime.reasons import CLOSED
from loom.runtime.receipt import Receipt
from loom.runtime.registry import Registry
from loom.runtime.route import Route, Routes
from loom.runtime.subscription import Interest, Subscription
from loom.telemetry import Telemetry
from loom.telemetry.current import get_current
from loom.telemetry.propagation import inside

LIMITS = BusLimits()

_CLOSED = Problem("the bus is closed")
_NO_LOOP = Problem("the bus has no event loop yet", hint="enter it, or subscribe, first")
_OTHER_LOOP = Problem(
    "the bus belongs to another event loop",
    hint="from another thread call publish_threadsafe, or anything else through loop.call_soon_threadsafe",
)
_LOOP_ENDED = Problem("the event loop of the bus has ended", hint="publish before the bus is left")


class EventBus:
    """Belongs to the event loop it is first used on; from elsewhere call `publish_threadsafe` only."""

    def __init__(self, telemetry: Telemetry, limits: BusLimits = LIMITS) -> None:
        """With `Telemetry.disabled()` it only delivers."""
        self._telemetry = telemetry
        self._limits = limits
        self._metrics = BusMetrics(telemetry)
        self._forget_backlog = self._metrics.backlog.refresh_with(self._count_backlog)
        self._measured = telemetry.enabled
        self._tracing = telemetry.tracing
        self._bound = telemetry.tracing.bound
        self._unsampled = telemetry.tracing.unsampled if telemetry.enabled else EMPTY
        self._registry = Registry()
        self._routes = Routes(self._find_route)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._closed = False

    async def publish(
        self, topic: str, event: Event, qos: Qos = Qos.BATCHED, coordination: Coordination = DEFAULT
    ) -> int:
        """Hand an event to every matching subscription; how many queues it entered.

        Returns when it is in every queue that it can enter: at once, unless neither the event nor a full
        subscription is realtime. LoomRuntimeError when the bus is closed, the topic is malformed, or this is
        not the bus's thread (another loop on that thread goes unnoticed: asking for it costs every event).
        """
        measured = self._measured
        started = perf_counter_ns() if measured else 0
        if get_ident() != self._thread:
            self._adopt_loop()
        route = self._routes[topic]
        envelope = Envelope(topic, event, qos, self._unsampled, coordination)
        envelope.route = route
        # Below the context that all traces share that are not kept, nothing is kept.
        if measured and (context := get_current()) is not self._unsampled and (context or self._bound):
            low = getrandbits(64)
            if context or low < self._bound:
                return await self._publish_traced(envelope, context, low, started)
        outcome = route.spread(envelope)
        if isinstance(outcome, int):
            if measured:
                route.delivered.n += outcome
                latency = route.latencies[qos] or route.counts.latency(qos)
                elapsed = perf_counter_ns() - started  # from here on Distribution.add, written out
                latency.counts[bisect_left(latency.bounds, elapsed)] += 1
                latency.total += elapsed
            return outcome
        return await self._publish_patiently(outcome, started)

    async def forward(self, envelope: Envelope) -> int:
        """Publish an envelope that came from another process: its trace goes on here."""
        with inside(envelope.context):
            return await self.publish(envelope.topic, envelope.event, envelope.qos, envelope.coordination)

    def publish_threadsafe(
        self, topic: str, event: Event, qos: Qos = Qos.BATCHED, coordination: Coordination = DEFAULT
    ) -> "Future[int]":
        """Publish from another thread; the future has what `publish` returns or raises.

        LoomRuntimeError when the bus was not used on any event loop yet, or its loop has ended. Never wait
        for the future on the bus's own loop.
        """
        if self._loop is None:
            raise LoomRuntimeError(_NO_LOOP)
        coroutine = self.publish(topic, event, qos, coordination)
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise LoomRuntimeError(_LOOP_ENDED) from None

    def subscribe(
        self, pattern: str, types: Iterable[str] = (), qos: Qos = Qos.BATCHED, capacity: int = 0
    ) -> Subscription:
        """A subscription to a topic, to `prefix.*` or to `*`, for some event types or for all.

        `capacity` is the size of its queue in events; 0 takes what the limits give its quality of service.
        LoomRuntimeError when the bus is closed or the pattern is malformed.
        """
        self._adopt_loop()
        if self._closed:
            raise LoomRuntimeError(_CLOSED)
        topics.check_pattern(pattern)
        wanted = frozenset(types)
        interest = Interest(pattern, wanted or None, qos, capacity or self._limits.capacity(qos))
        subscription = Subscription(self._registry.next_id(), interest, self.unsubscribe)
        with self._telemetry.span(spans.SUBSCRIBE, subscription_attributes(subscription)):
            self._registry.add(subscription)
            self._routes.clear()
            self._metrics.active.series(qos.label).n += 1
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; what it had not taken is dropped as closed. A second call does nothing."""
        if get_ident() != self._thread:
            raise LoomRuntimeError(_OTHER_LOOP)
        if not self._registry.remove(subscription):
            return
        with self._telemetry.span(spans.UNSUBSCRIBE, subscription_attributes(subscription)):
            self._routes.clear()
            subscription.end()
            self._metrics.active.series(subscription.interest.qos.label).n -= 1

    async def drain(self, *subscriptions: Subscription, timeout: float) -> None:  # noqa: ASYNC109 - one deadline
        """Send these nothing new, let them take what is queued for `timeout` seconds, then end them."""
        for subscription in subscriptions:
            self._registry.detach(subscription)
        self._routes.clear()
        try:
            await draining.drain(subscriptions, timeout)
        finally:
            for subscription in subscriptions:
                self.unsubscribe(subscription)

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - one deadline for all
        """Accept nothing any more, let subscribers take what is queued, then end every subscription.

        `timeout` in seconds; the limits' own when none is given. What is left then is dropped as closed.
        """
        self._closed = True
        try:
            await self.drain(
                *self._registry.all(), timeout=self._limits.drain if timeout is None else timeout
            )
        finally:
            for subscription in self._registry.all():
                self.unsubscribe(subscription)
            self._forget_backlog()
            self._forget_backlog = lambda: None

    async def __aenter__(self) -> Self:
        """Belong to this event loop."""
        self._adopt_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def _publish_patiently(self, receipt: Receipt, started: int) -> int:
        """Publish where something was dropped or has to wait."""
        latency = self._routes[receipt.envelope.topic].counts.latency(receipt.envelope.qos)
        latency.begun += 1
        try:
            return await receipt.settle(self._limits.slot_wait)
        finally:
            latency.begun -= 1
            latency.add(perf_counter_ns() - started)

    async def _publish_traced(self, envelope: Envelope, context: Context, low: int, started: int) -> int:
        """Publish below a parent, or as a root that is kept."""
        route = self._routes[envelope.topic]
        span = (
            self._tracing.start(spans.PUBLISH, {}, context)
            if context
            else self._tracing.record_root(low, spans.PUBLISH, {})
        )
        if span is not None:
            span.attributes.update(publish_attributes(envelope, route.label))
        envelope.context = self._tracing.below(span, context)
        latency = route.counts.latency(envelope.qos)
        latency.begun += 1
        outcome = route.spread(envelope)
        try:
            if isinstance(outcome, int):
                route.counts.delivered.n += outcome
                return outcome
            return await outcome.settle(self._limits.slot_wait)
        except BaseException as error:
            if span is not None:
                span.fail(error)
            raise
        finally:
            latency.begun -= 1
            elapsed = perf_counter_ns() - started
            if span is None:
                latency.add(elapsed)
            else:
                record_outcome(span, outcome)
                span.end()
                latency.add_sampled(elapsed, span.context)

    def _find_route(self, topic: str) -> Route:
        topics.check_topic(topic)
        label = topics.generalise(topic)
        counts = self._metrics.topic(label)
        if self._closed:
            counts.drop(CLOSED).n += 1
            raise LoomRuntimeError(_CLOSED)
        return Route(label, counts, self._registry.reached_by(topic), self._limits.backpressure)

    def _count_backlog(self) -> None:
        for subscription in self._registry.all():
            for envelope in subscription.queued():
                if envelope.route is not None:
                    envelope.route.counts.backlog.n += 1

    def _adopt_loop(self) -> None:
        """Belong to the running loop from the first use on; refuse any other."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop, self._thread = loop, get_ident()
        elif self._loop is not loop:
            raise LoomRuntimeError(_OTHER_LOOP)
