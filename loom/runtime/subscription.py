"""A subscriber's bounded queue, as an async iterator."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum, auto
from time import time
from typing import Self

from loom.runtime.envelope import Envelope
from loom.runtime.qos import Qos
from loom.runtime.reasons import BACKPRESSURE, CLOSED, EXPIRED, QUEUE_FULL
from loom.runtime.receipt import Receipt


class State(Enum):
    """How far a subscription is."""

    OPEN = auto()
    DRAINING = auto()
    """Takes nothing new; what is queued can still be read."""
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Interest:
    """What a subscriber wants."""

    pattern: str
    types: frozenset[str] | None
    """Event types; None for all."""
    qos: Qos
    capacity: int
    """Events that may be queued."""


class Subscription(AsyncIterator[Envelope]):
    """Iterate over it to take events; leave the `async with` block to unsubscribe.

    Several tasks may iterate over one subscription: each event goes to one of them. At any moment
    `accepted` = `taken` + `depth` + all of `discarded`.
    """

    def __init__(self, number: str, interest: Interest, release: "Callable[[Subscription], None]") -> None:
        """The bus makes these; `release` unsubscribes."""
        self.id = number
        self.interest = interest
        self.types = interest.types
        self.accepted = 0
        """Events that entered the queue."""
        self.refused: Counter[str] = Counter()
        """Events that never entered the queue, by reason."""
        self.discarded: Counter[str] = Counter()
        """Events that left the queue unread, by reason."""
        self.state = State.OPEN
        self._capacity = interest.capacity
        self._release = release
        self._queue: deque[Envelope] = deque()
        self._waiting: OrderedDict[Receipt, None] = OrderedDict()
        self._readers: deque[asyncio.Future[None]] = deque()
        self._drained: asyncio.Future[None] | None = None

    @property
    def taken(self) -> int:
        """Events that were read."""
        return self.accepted - len(self._queue) - self.discarded.total()

    @property
    def depth(self) -> int:
        """Events that are queued now."""
        return len(self._queue)

    def queued(self) -> list[Envelope]:
        """The events that are queued now; safe from any thread."""
        return list(self._queue)

    def close(self) -> None:
        """Unsubscribe; what is still queued is dropped as closed. A second call does nothing."""
        self._release(self)

    async def get(self, timeout: float) -> Envelope:  # noqa: ASYNC109 - a deadline for one event
        """The next event; TimeoutError after `timeout` seconds, StopAsyncIteration when it is closed."""
        async with asyncio.timeout(timeout):
            return await self.__anext__()

    async def __anext__(self) -> Envelope:
        """The next event that has not expired; stops when the subscription is closed."""
        queue = self._queue
        while True:
            while not queue:
                await self._arrival()
            envelope = queue.popleft()
            if self._waiting:
                self._admit()
            if self._drained is not None and not queue:
                self._finish_drain()
            if envelope.coordination.expires_at is None or not envelope.coordination.expired(time()):
                return envelope
            self._discard(envelope, EXPIRED)

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Unsubscribe."""
        self.close()

    # What the bus does with it.

    def offer(self, envelope: Envelope) -> bool:
        """Queue an event if there is a slot."""
        queue = self._queue
        if len(queue) >= self._capacity:
            return False
        queue.append(envelope)
        self.accepted += 1
        if self._readers:
            self._wake()
        return True

    def defer(self, receipt: Receipt) -> None:
        """There is no slot: wait for one, or drop the event when either side is in realtime."""
        if receipt.envelope.qos is Qos.REALTIME or self.interest.qos is Qos.REALTIME:
            self.refuse(receipt, QUEUE_FULL)
        else:
            receipt.waiting.add(self)
            self._waiting[receipt] = None

    def shed(self, receipt: Receipt) -> None:
        """The topic is under pressure: a realtime event is dropped, any other takes its chance."""
        if receipt.envelope.qos is Qos.REALTIME or self.interest.qos is Qos.REALTIME:
            self.refuse(receipt, BACKPRESSURE)
        elif self.offer(receipt.envelope):
            receipt.delivered += 1
        else:
            self.defer(receipt)

    def refuse(self, receipt: Receipt, reason: str) -> None:
        """Drop an event that never entered the queue."""
        self._waiting.pop(receipt, None)
        self.refused[reason] += 1
        _count(receipt.envelope, reason)
        receipt.drop(self, reason)

    def drain(self) -> asyncio.Future[None]:
        """Take nothing new; the future is done when the queue is empty, at once where nobody ever read."""
        self.state = State.DRAINING
        self._refuse_waiting()
        if self._drained is None:  # or those that wait for it already would wait in vain
            self._drained = asyncio.get_running_loop().create_future()
        if not self._queue or not (self.taken or self._readers):
            self._finish_drain()
        return self._drained

    def end(self) -> None:
        """Drop everything that is left and stop the readers."""
        self.state = State.CLOSED
        self._refuse_waiting()
        while self._queue:
            self._discard(self._queue.popleft(), CLOSED)
        if self._drained is not None:
            self._finish_drain()
        self._wake_all()

    def _refuse_waiting(self) -> None:
        for receipt in list(self._waiting):
            self.refuse(receipt, CLOSED)

    def _discard(self, envelope: Envelope, reason: str) -> None:
        self.discarded[reason] += 1
        _count(envelope, reason)

    def _admit(self) -> None:
        """Give the free slot to whoever waits longest; what expired while waiting gives way."""
        while self._waiting and len(self._queue) < self._capacity:
            receipt, _ = self._waiting.popitem(last=False)
            if receipt.envelope.coordination.expired(time()):
                self.refuse(receipt, EXPIRED)
                continue
            self._queue.append(receipt.envelope)
            self.accepted += 1
            if receipt.envelope.route is not None:
                receipt.envelope.route.counts.delivered.n += 1
            receipt.accept(self)
            if self._readers:
                self._wake()

    async def _arrival(self) -> None:
        """Wait until something may be in the queue."""
        if self.state is not State.OPEN:
            raise StopAsyncIteration
        reader = asyncio.get_running_loop().create_future()
        self._readers.append(reader)
        try:
            await reader
        except asyncio.CancelledError:
            if reader.done() and not reader.cancelled() and self._queue:
                self._wake()  # it was told of an event that it will not take: tell the next reader
            elif reader in self._readers:
                self._readers.remove(reader)
            raise

    def _wake(self) -> None:
        """Tell one reader that waits."""
        readers = self._readers
        while readers:
            reader = readers.popleft()
            if not reader.done():
                reader.set_result(None)
                return

    def _wake_all(self) -> None:
        while self._readers:
            self._wake()

    def _finish_drain(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._wake_all()


def _count(envelope: Envelope, reason: str) -> None:
    if envelope.route is not None:
        envelope.route.counts.drop(reason).n += 1
