"""What the event bus counts, ready for its hot path: each number is found once a route, not once an event."""

from loom.contract import attributes as a
from loom.contract.attribute import OVERFLOW_VALUE
from loom.contract.metrics import event_bus as m
from loom.runtime.qos import Qos
from loom.telemetry import Telemetry
from loom.telemetry.tally import Distribution, Tally


class TopicCounts:
    """Everything that is counted for one topic label."""

    __slots__ = ("_drops", "_label", "_metrics", "backlog", "delivered", "latencies")

    def __init__(self, metrics: "BusMetrics", label: str) -> None:
        """Series appear when they are first needed; deliveries and backlog exist from the start."""
        self._metrics = metrics
        self._label = label
        self._drops: dict[str, Tally] = {}
        self.delivered = metrics.delivered.series(label)
        self.backlog = metrics.backlog.series(label)
        self.latencies: list[Distribution | None] = [None] * len(Qos)
        """By quality of service, as far as needed; each publish is counted by being measured."""

    def latency(self, qos: Qos) -> Distribution:
        """Where publishes are measured, in nanoseconds."""
        latency = self.latencies[qos]
        if latency is None:
            latency = self.latencies[qos] = self._metrics.latency.series(self._label, qos.label)
        return latency

    def drop(self, reason: str) -> Tally:
        """Where drops are counted."""
        tally = self._drops.get(reason)
        if tally is None:
            tally = self._drops[reason] = self._metrics.dropped.series(self._label, reason)
        return tally


class BusMetrics:
    """The families of the event bus."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Make them from the contract."""
        telemetry.families.occurrences(m.PUBLISHED, m.PUBLISH_LATENCY)
        self.delivered = telemetry.counter(m.DELIVERED)
        self.dropped = telemetry.counter(m.DROPPED)
        self.active = telemetry.gauge(m.ACTIVE_SUBSCRIPTIONS)
        self.backlog = telemetry.gauge(m.BACKLOG)
        self.latency = telemetry.histogram(m.PUBLISH_LATENCY)
        self._budgets = telemetry.families.budgets
        self._topics: dict[str | None, TopicCounts] = {}

    def topic(self, label: str) -> TopicCounts:
        """The counts of a label; labels past the budget share one."""
        admitted = self._budgets.admit(a.TOPIC, label)
        key = None if admitted == OVERFLOW_VALUE != label else admitted
        counts = self._topics.get(key)
        if counts is None:
            counts = self._topics[key] = TopicCounts(self, label)
        return counts
