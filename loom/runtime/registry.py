"""Which subscriptions there are, and which of them a topic reaches."""

from itertools import count

from loom.runtime.subscription import Subscription
from loom.runtime.topic import patterns_for


class Registry:
    """Subscriptions by pattern: finding those of a topic takes one look-up a segment."""

    def __init__(self) -> None:
        """Nobody subscribed yet."""
        self._numbers = count(1)
        self._by_pattern: dict[str, dict[str, Subscription]] = {}
        self._by_id: dict[str, Subscription] = {}

    def next_id(self) -> str:
        """An id that no other subscription of this bus has or had."""
        return f"sub-{next(self._numbers)}"

    def add(self, subscription: Subscription) -> None:
        """Let events reach it."""
        self._by_id[subscription.id] = subscription
        self._by_pattern.setdefault(subscription.interest.pattern, {})[subscription.id] = subscription

    def detach(self, subscription: Subscription) -> None:
        """Let no more events reach it."""
        pattern = subscription.interest.pattern
        attached = self._by_pattern.get(pattern, {})
        attached.pop(subscription.id, None)
        if not attached:
            self._by_pattern.pop(pattern, None)

    def remove(self, subscription: Subscription) -> bool:
        """Forget it; whether it was there."""
        self.detach(subscription)
        return self._by_id.pop(subscription.id, None) is not None

    def reached_by(self, topic: str) -> tuple[Subscription, ...]:
        """The subscriptions whose pattern matches: exact ones first, then from the longest prefix on."""
        return tuple(
            subscription
            for pattern in patterns_for(topic)
            for subscription in self._by_pattern.get(pattern, {}).values()
        )

    def all(self) -> list[Subscription]:
        """Every subscription now; safe from any thread."""
        return list(self._by_id.values())
