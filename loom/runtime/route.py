"""Where events of one topic go, found once and kept while the topic is in use."""

from collections.abc import Callable
from time import time

from loom.runtime.account import Account
from loom.runtime.bus_metrics import TopicCounts
from loom.runtime.coordination import DEFAULT
from loom.runtime.envelope import Envelope
from loom.runtime.reasons import EXPIRED, NO_SUBSCRIBER
from loom.runtime.receipt import Receipt
from loom.runtime.subscription import Subscription

ROUTES = 2048
"""Routes kept in each of the two generations: memory stays flat however many topics there are."""


class Route(Account):
    """The subscriptions of a topic, and where its events are counted."""

    __slots__ = ("_pressure", "delivered", "latencies", "subscriptions")

    def __init__(
        self, label: str, counts: TopicCounts, subscriptions: tuple[Subscription, ...], pressure: int
    ) -> None:
        """`pressure` is the number of queued events from which on realtime ones are shed."""
        super().__init__(label, counts)
        self.delivered = counts.delivered
        self.latencies = counts.latencies
        self.subscriptions = subscriptions
        capacity = sum(subscription.interest.capacity for subscription in subscriptions)
        self._pressure = pressure if capacity >= pressure else 0
        """0 when the queues together cannot hold that many."""

    def spread(self, envelope: Envelope) -> int | Receipt:
        """Offer an event to every subscription that wants its type.

        How many took it, when that was all of them; otherwise a receipt, which may still wait.
        """
        if self._pressure or envelope.coordination is not DEFAULT:
            receipt = self._spread_carefully(envelope)
            if receipt is not None:
                return receipt
        delivered = 0
        receipt = None
        kind = envelope.event.type
        for subscription in self.subscriptions:
            if subscription.types is not None and kind not in subscription.types:
                continue
            if subscription.offer(envelope):
                delivered += 1
            else:
                receipt = receipt or Receipt(envelope)
                subscription.defer(receipt)
        if receipt is not None:
            receipt.delivered += delivered
            self.counts.delivered.n += delivered
            return receipt
        if not delivered:
            self.counts.drop(NO_SUBSCRIBER).n += 1
        return delivered

    def wanting(self, envelope: Envelope) -> list[Subscription]:
        """The subscriptions that want the event's type."""
        kind = envelope.event.type
        return [one for one in self.subscriptions if one.types is None or kind in one.types]

    def _spread_carefully(self, envelope: Envelope) -> Receipt | None:
        """The receipt of an event that expired or whose topic is under pressure; None when neither is so."""
        wanting = self.wanting(envelope)
        receipt = Receipt(envelope)
        if not wanting:
            return None
        if envelope.coordination.expired(time()):
            for subscription in wanting:
                subscription.refuse(receipt, EXPIRED)
            return receipt
        if not self._pressure or sum(one.depth for one in self.subscriptions) < self._pressure:
            return None
        for subscription in wanting:
            subscription.shed(receipt)
        self.counts.delivered.n += receipt.delivered
        return receipt


class Routes(dict[str, Route]):
    """Topic → route, made on demand; routes that are not used any more make room.

    A plain look-up when the route is there. Two generations: when the young one is full it becomes the old
    one, and what is still in use comes back from there.
    """

    def __init__(self, make: Callable[[str], Route]) -> None:
        """`make` finds the route of a topic, or raises."""
        super().__init__()
        self._make = make
        self._old: dict[str, Route] = {}

    def __missing__(self, topic: str) -> Route:
        """Bring a route back from the old generation, or make it."""
        route = self._old.pop(topic, None) or self._make(topic)
        if len(self) >= ROUTES:
            self._old = dict(self)
            super().clear()
        self[topic] = route
        return route

    def clear(self) -> None:
        """Forget every route: subscriptions changed."""
        super().clear()
        self._old.clear()
