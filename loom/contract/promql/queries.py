"""The questions that rules, panels and documents ask of metrics, as expressions.

Each answer is aggregated, and none is NaN when there was no traffic: ratios and quantiles are empty then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from loom.contract.metric import Kind, Metric
from loom.contract.naming import Naming
from loom.contract.promql import expression as e
from loom.contract.promql.expression import Expression, Matcher
from loom.contract.promql.functions import either, unless
from loom.contract.series import Part, Series


@dataclass(frozen=True, slots=True)
class Queries:
    """Builds expressions under one naming rule, with the same matchers and window everywhere."""

    naming: Naming = field(default_factory=Naming)
    matchers: tuple[Matcher, ...] = ()
    """Put on every selector whose series carries the label."""
    window: str = "5m"
    """Range of rates: a duration, or Grafana's `$__rate_interval`."""

    def where(self, **equal: str) -> "Queries":
        """The same with further `label="value"` matchers."""
        return self.matching(*(Matcher(label, "=", value) for label, value in equal.items()))

    def matching(self, *matchers: Matcher) -> "Queries":
        """The same with further matchers."""
        return replace(self, matchers=(*self.matchers, *matchers))

    def over(self, window: str) -> "Queries":
        """The same over another window."""
        return replace(self, window=window)

    def select(self, series: Series, *, ranged: bool = False) -> Expression:
        """A selector with the matchers that the series can carry."""
        return e.select(series, self._carried(series), self.window if ranged else "")

    def value(self, metric: Metric, by: Iterable[str] = ()) -> Expression:
        """The sum of a gauge, or of what a counter has counted, now."""
        return self.value_of(self.naming.series(metric), by)

    def value_of(self, series: Series, by: Iterable[str] = (), operation: str = "sum") -> Expression:
        """A series of any origin now, aggregated."""
        return e.aggregate(operation, self.select(series), by=by)

    def rate(self, metric: Metric, by: Iterable[str] = ()) -> Expression:
        """Per-second rate of a counter, or of a histogram's observations."""
        return self.rate_of(self._counted(metric), by)

    def rate_of(self, series: Series, by: Iterable[str] = ()) -> Expression:
        """Per-second rate of any counter series, summed."""
        return e.aggregate("sum", e.call("rate", self.select(series, ranged=True)), by=by)

    def increase(self, metric: Metric, by: Iterable[str] = ()) -> Expression:
        """How much a counter, or a histogram's observations, grew over the window."""
        return self.increase_of(self._counted(metric), by)

    def increase_of(self, series: Series, by: Iterable[str] = ()) -> Expression:
        """How much any counter series grew over the window, summed."""
        return e.aggregate("sum", e.call("increase", self.select(series, ranged=True)), by=by)

    def occurred(self, metric: Metric, by: Iterable[str] = ()) -> Expression:
        """See `occurred_of`."""
        return self.occurred_of(self._counted(metric), by)

    def occurred_of(self, series: Series, by: Iterable[str] = ()) -> Expression:
        """How often it happened within the window, the first time too.

        A counter that appears with the first failure has no 0 to grow from: what is younger than the window
        has counted all it says within it. So has, as it seems, what nobody looked at for so long.
        """
        before = e.select(series, offset=self.window)  # compared by all labels: which, the left side says
        grown = e.call("increase", self.select(series, ranged=True))
        return e.aggregate("sum", either(unless(self.select(series), before), grown), by=by)

    def quantile(self, quantile: float, metric: Metric, by: Iterable[str] = ()) -> Expression:
        """A quantile over a histogram's buckets; empty, not NaN, where nothing was observed."""
        kept = tuple(by)
        buckets = self.naming.series(metric, Part.BUCKET)
        rates = e.aggregate("sum", e.call("rate", self.select(buckets, ranged=True)), by=(*kept, "le"))
        return e.binary(e.call("histogram_quantile", rates, quantile, drop=("le",)), ">=", e.scalar(0))

    def mean(self, metric: Metric, by: Iterable[str] = ()) -> Expression:
        """A histogram's mean; empty where nothing was observed."""
        kept = tuple(by)
        return ratio(
            self.rate_of(self.naming.series(metric, Part.SUM), kept),
            self.rate_of(self.naming.series(metric, Part.COUNT), kept),
        )

    def _counted(self, metric: Metric) -> Series:
        part = Part.COUNT if metric.kind is Kind.HISTOGRAM else Part.VALUE
        return self.naming.series(metric, part)

    def _carried(self, series: Series) -> tuple[Matcher, ...]:
        return tuple(matcher for matcher in self.matchers if matcher.label in series.labels)


def ratio(part: Expression, whole: Expression) -> Expression:
    """`part / whole`: 0 where there was traffic and no part, empty (never NaN) where there was no traffic.

    Both sides must carry the same labels.
    """
    none = e.binary(whole, "*", e.scalar(0))
    traffic = e.binary(whole, ">", e.scalar(0))
    return e.binary(e.binary(part, "or", none), "/", traffic)


def above(left: Expression, threshold: float) -> Expression:
    """`left > threshold`."""
    return e.binary(left, ">", e.scalar(threshold))


def below(left: Expression, threshold: float) -> Expression:
    """`left < threshold`."""
    return e.binary(left, "<", e.scalar(threshold))


def zero_unless(left: Expression) -> Expression:
    """`left or vector(0)`: a plain 0 where a total without labels has no series yet."""
    return e.binary(left, "or", Expression("vector(0)", frozenset(), frozenset()))
