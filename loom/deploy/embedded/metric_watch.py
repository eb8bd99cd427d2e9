"""Every series of our metrics that arrived, and what is wrong between one export and the next."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loom.contract.attribute import Attribute
from loom.contract.coverage import TROUBLE
from loom.contract.metric import Kind, Metric
from loom.deploy.embedded.fault import Fault, Subject, similar
from loom.deploy.embedded.metric_faults import BY_NAME, metric_faults
from loom.receiver.arrival import Identity, MetricArrival, Point
from loom.receiver.signals import TAKEN, Refusal

SERIES = 50_000
"""Series that are kept, of all processes; far beyond what the contract's budgets allow one process."""

Labels = frozenset[tuple[str, str | int | float | bool]]


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """One series of one process."""

    process: Identity
    labels: Labels


class MetricWatch:
    """The latest point of each series."""

    def __init__(self, limit: int = SERIES) -> None:
        """`limit` is how many series are kept."""
        self._limit = limit
        self._held = 0
        self._series: defaultdict[str, dict[SeriesKey, Point]] = defaultdict(dict)
        self._distinct: defaultdict[tuple[Identity, str, str], set[str]] = defaultdict(set)
        self._recorded: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.points = 0
        """Points that were taken."""

    def observe(self, seen: MetricArrival) -> tuple[list[Fault], Refusal]:
        """Take one metric of ours; what is wrong with it, and what of it there was no room for."""
        metric = BY_NAME.get(seen.name)
        if metric is None:
            return [_outside(seen)], TAKEN
        faults = list(metric_faults(metric, seen))
        refused = 0
        for point in seen.points:
            key = SeriesKey(seen.origin.identity, frozenset(point.attributes.items()))
            if key not in self._series[metric.name] and self._held >= self._limit:
                refused += 1
                continue
            faults += self._between(metric, key, point)
            self._keep(metric, key, point)
        if not refused:
            return faults, TAKEN
        reason = f"more than {self._limit} series"
        return [*faults, Fault(Subject.RECEIVER, "series", reason, "lower the cardinality")], Refusal(
            refused, reason
        )

    def series(self, metric: Metric) -> Mapping[SeriesKey, Point]:
        """The latest point of each of a metric's series."""
        return self._series.get(metric.name, {})

    def recorded(self, metric: Metric, attribute: Attribute) -> frozenset[str]:
        """The values of an attribute's closed set that a measurement had."""
        return frozenset(self._recorded.get((metric.name, attribute.name), ()))

    def _between(self, metric: Metric, key: SeriesKey, point: Point) -> Iterator[Fault]:
        """What only the comparison with earlier points shows."""
        before = self._series[metric.name].get(key)
        if before is not None and _fell(metric, before, point):
            text = f"it fell from {before.value:g} to {point.value:g} without a restart"
            yield Fault(Subject.METRIC, metric.name, text, "counters only grow while their process lives")
        for attribute in metric.attributes:
            value = point.attributes.get(attribute.name)
            held = self._distinct[key.process, metric.name, attribute.name]
            # A closed set is judged value by value.
            if not isinstance(value, str) or attribute.values or value in held:
                continue
            if attribute.limit and len(held) >= attribute.limit:
                text = f"more than {attribute.limit} values of {attribute.name} from one process"
                yield Fault(
                    Subject.METRIC, metric.name, text, "its budget is spent: record a pattern, not an id"
                )
            else:
                held.add(value)

    def _keep(self, metric: Metric, key: SeriesKey, point: Point) -> None:
        self.points += 1
        held = self._series[metric.name]
        before = held.get(key)
        if before is None:
            self._held += 1
        elif point.time < before.time:
            return
        held[key] = point
        if counts(metric, point):
            for attribute in metric.attributes:
                value = point.attributes.get(attribute.name)
                if value in attribute.values:
                    self._recorded[metric.name, attribute.name].add(str(value))


def counts(metric: Metric, point: Point) -> bool:
    """Whether something was measured: a gauge may be zero, a counter at zero has only been announced."""
    return metric.kind not in {Kind.COUNTER, Kind.HISTOGRAM} or point.value > 0 or metric in TROUBLE


def _fell(metric: Metric, before: Point, point: Point) -> bool:
    monotonic = metric.kind in {Kind.COUNTER, Kind.HISTOGRAM}
    same = before.start == point.start and before.time <= point.time
    return monotonic and same and point.value < before.value


def _outside(seen: MetricArrival) -> Fault:
    text = f"is not in the contract (scope {seen.scope or 'without a name'})"
    hint = similar(seen.name, BY_NAME) or "metrics of your own belong into a scope of your own"
    return Fault(Subject.METRIC, seen.name, text, hint)
