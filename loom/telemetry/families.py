"""The families of a process: one for each metric of the contract that is in use."""

from collections.abc import Callable

from loom.contract.metric import Kind, Metric
from loom.contract.metrics import telemetry as own
from loom.telemetry.budget import Budgets
from loom.telemetry.family import Family, Occurrences, counting, distributing
from loom.telemetry.tally import Distribution, Tally

Register = Callable[[Family[Tally]], None]


class Families:
    """Makes families from contract metrics, once each, and tells the SDK about those it reads itself."""

    def __init__(self, register: Register = lambda _: None) -> None:
        """`register` is called with each new family of counters or gauges."""
        self.budgets = Budgets()
        self._register = register
        self._counting: dict[str, Family[Tally]] = {}
        self._distributing: dict[str, Family[Distribution]] = {}
        self.counting(own.ATTRIBUTE_OVERFLOW).refresh_with(self._count_overflow)

    def counting(self, metric: Metric) -> Family[Tally]:
        """The family of a counter or gauge. ValueError for a histogram."""
        if metric.kind is Kind.HISTOGRAM:
            message = f"{metric.name} is a histogram"
            raise ValueError(message)
        family = self._counting.get(metric.name)
        if family is None:
            family = self._counting[metric.name] = counting(metric, self.budgets)
            self._register(family)
        return family

    def distributing(self, metric: Metric) -> Family[Distribution]:
        """The family of a histogram. ValueError for anything else."""
        if metric.kind is not Kind.HISTOGRAM:
            message = f"{metric.name} is no histogram"
            raise ValueError(message)
        family = self._distributing.get(metric.name)
        if family is None:
            family = self._distributing[metric.name] = distributing(metric, self.budgets)
        return family

    def occurrences(self, metric: Metric, histogram: Metric) -> Family[Tally]:
        """A counter that is the number of a histogram's measurements; nobody counts it by itself."""
        if metric.name not in self._counting:
            family = Occurrences(metric, self.budgets, self.distributing(histogram))
            self._counting[metric.name] = family
            self._register(family)
        return self._counting[metric.name]

    def distributions(self) -> list[Family[Distribution]]:
        """Every family of histograms, for the exporter; safe from any thread."""
        return list(self._distributing.values())

    def _count_overflow(self) -> None:
        overflow = self.counting(own.ATTRIBUTE_OVERFLOW)
        spent = [(family.metric.name, family.overflow()) for family in list(self._counting.values())]
        spent += [(family.metric.name, family.overflow()) for family in list(self._distributing.values())]
        for metric, attributes in spent:
            for attribute, measurements in attributes.items():
                overflow.series(metric, attribute).n = measurements
