"""All series of one metric: a tally for each admitted set of attribute values."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Generic, TypeVar

from loom.contract.metric import Kind, Metric
from loom.telemetry.budget import Budgets
from loom.telemetry.tally import Distribution, Tally

T = TypeVar("T", Tally, Distribution)

NANOSECONDS = 1_000_000_000
"""Raw units in a second: histograms of unit `s` are recorded in whole nanoseconds."""


@dataclass(frozen=True, slots=True)
class Series(Generic[T]):
    """One tally and the attributes it is recorded with."""

    attributes: dict[str, str]
    tally: T


class Family(Generic[T]):
    """The tallies of one metric, found by its attribute values in the contract's order."""

    def __init__(self, metric: Metric, budgets: Budgets, make: Callable[[], T]) -> None:
        """Series whose values are all closed sets exist from the start, at zero."""
        self.metric = metric
        self._budgets = budgets
        self._make: Callable[[], T] = make
        self._series: dict[tuple[str, ...], Series[T]] = {}
        self._overflowed: defaultdict[str, dict[tuple[str, ...], T]] = defaultdict(dict)
        self._refreshers: list[Callable[[], None]] = []
        if all(attribute.values for attribute in metric.attributes):
            for values in product(*(attribute.values for attribute in metric.attributes)):
                self.series(*values)

    def series(self, *values: str) -> T:
        """The tally for these values; values past their budget share the tally of the overflow value.

        Cheap but not free: look it up once and keep it. ValueError for a value outside its closed set.
        """
        attributes = self.metric.attributes
        admitted = tuple(
            self._budgets.admit(attribute, value) for attribute, value in zip(attributes, values, strict=True)
        )
        series = self._series.get(admitted)
        if series is None:
            series = Series(self._present(admitted), self._make())
            self._series[admitted] = series
        for attribute, value, kept in zip(attributes, values, admitted, strict=True):
            if value != kept:
                self._overflowed[attribute.name][admitted] = series.tally
        return series.tally

    def _present(self, admitted: tuple[str, ...]) -> dict[str, str]:
        """Attribute name → value; a conditional one that does not apply is left out."""
        pairs = zip(self.metric.attributes, admitted, strict=True)
        conditional = self.metric.conditional
        return {item.name: value for item, value in pairs if value or item not in conditional}

    def read(self) -> list[Series[T]]:
        """Every series now; safe from any thread."""
        return list(self._series.values())

    def overflow(self) -> dict[str, int]:
        """Attribute name → measurements that went to its overflow value."""
        return {
            name: sum(tally.measurements for tally in list(tallies.values()))
            for name, tallies in list(self._overflowed.items())
        }

    def refresh_with(self, refresher: Callable[[], None]) -> Callable[[], None]:
        """Before each reading set the tallies to zero and let `refresher` add what is true now.

        It is called from the exporter's thread. The function that comes back takes it out again.
        """
        self._refreshers.append(refresher)
        return lambda: self._refreshers.remove(refresher)

    def refresh(self, zero: Callable[[T], None]) -> None:
        """Bring tallies that are read from elsewhere up to date."""
        refreshers = list(self._refreshers)
        if refreshers or self.metric.kind is Kind.OBSERVABLE_GAUGE:
            for series in self.read():
                zero(series.tally)
        for refresher in refreshers:
            refresher()


class Occurrences(Family[Tally]):
    """A counter of what a histogram measures: counted once, on the way to the histogram's bucket."""

    def __init__(self, metric: Metric, budgets: Budgets, source: Family[Distribution]) -> None:
        """ValueError when the histogram has other attributes."""
        if metric.attributes != source.metric.attributes:
            message = f"{metric.name} and {source.metric.name} have different attributes"
            raise ValueError(message)
        self._source = source
        super().__init__(metric, budgets, Tally)

    def read(self) -> list[Series[Tally]]:
        """Measurements of each series, those included that have only begun."""
        return [
            Series(series.attributes, Tally(series.tally.measurements + series.tally.begun))
            for series in self._source.read()
        ]

    def overflow(self) -> dict[str, int]:
        """The histogram's own."""
        return self._source.overflow()


def counting(metric: Metric, budgets: Budgets) -> Family[Tally]:
    """A family of counters or gauges."""
    return Family(metric, budgets, Tally)


def distributing(metric: Metric, budgets: Budgets) -> Family[Distribution]:
    """A family of histograms; durations have their boundaries in nanoseconds."""
    bounds: tuple[float, ...] = metric.boundaries
    if metric.unit == "s":
        bounds = tuple(round(bound * NANOSECONDS) for bound in bounds)
    return Family(metric, budgets, lambda: Distribution(bounds))
