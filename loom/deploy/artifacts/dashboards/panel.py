"""Panel builders: a metric and a question in, a panel out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from loom.contract.attribute import Attribute
from loom.contract.metric import Metric
from loom.contract.promql import Expression, Matcher, Queries, above, call, ratio
from loom.contract.recording import FAILURES
from loom.contract.resource import JOB
from loom.contract.series import Part
from loom.contract.span import Span
from loom.deploy.artifacts.dashboards import limits
from loom.deploy.artifacts.dashboards.model import Panel, Step, Target, Text, Unit, View

QUANTILES = (0.5, 0.95, 0.99)
RANGE = "$__range"
"""Grafana's variable for the whole shown range."""
TOP = 10
COLORS = {
    "ok": "green",
    "answered": "green",
    "error": "red",
    "failed": "red",
    "timeout": "orange",
    "not_found": "purple",
    "expired": "orange",
    "dropped": "dark-red",
}
"""Values that mean the same everywhere have the same colour everywhere; the others take turns."""


_FAILED = {failure.metric: failure.matcher for failure in FAILURES}
"""What counts as failed: the recorded ratios, the alerts and the panels agree."""


def legend(*labels: str) -> str:
    """A legend of label values: `{{topic}} {{qos}}`."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def lines(text: Text, unit: Unit, *targets: Target) -> Panel:
    """Lines over time."""
    return Panel(text, View.LINES, unit, targets)


def stat(text: Text, unit: Unit, *targets: Target, steps: tuple[Step, ...] = ()) -> Panel:
    """One large number a target, as of the end of the shown range: what went silent does not linger."""
    now = tuple(Target(target.expression, target.legend, instant=True) for target in targets)
    return Panel(text, View.STAT, unit, now, steps, width=3)


def bars(text: Text, unit: Unit, expression: Expression, *labels: str) -> Panel:
    """A bar for each label value, as of the end of the shown range."""
    target = Target(expression, legend(*labels), instant=True)
    return Panel(text, View.BARS, unit, (target,))


def valued(attribute: Attribute, operator: Literal["=", "!="], value: str) -> Matcher:
    """A matcher for one of the values of a closed set; ValueError for any other value."""
    if value not in attribute.values:
        message = f"{attribute.name} is never {value!r}; it is one of {', '.join(attribute.values)}"
        raise ValueError(message)
    return Matcher(attribute.label, operator, value)


def names(attributes: Iterable[Attribute]) -> tuple[str, ...]:
    """The labels of attributes."""
    return tuple(attribute.label for attribute in attributes)


@dataclass(frozen=True, slots=True)
class Panels:
    """Builds the panels that many dashboards share, all with the same queries."""

    queries: Queries
    """With Grafana's window for rates, for everything that is drawn over time."""
    recent: Queries
    """The same over the last minutes, for single numbers."""
    plain: Queries
    """Without the dashboard's variables: for series of other programs."""

    def share(self, part: Metric, whole: Metric, by: tuple[str, ...] = ()) -> Expression:
        """How large a share of one counter another is; empty without traffic."""
        return ratio(self.queries.rate(part, by), self.queries.rate(whole, by))

    def failing(self, metric: Metric) -> Expression:
        """Which share of a counter failed, as the rules count it; empty without traffic."""
        failed = self.queries.matching(_FAILED[metric])
        return ratio(failed.rate(metric), self.queries.rate(metric))

    def rate(self, text: Text, metric: Metric, *by: Attribute) -> Panel:
        """How often a counter grows, a line for each value of the attributes."""
        labels = names(by)
        target = Target(self.queries.rate(metric, labels), legend(*labels) or "all")
        values = {value for attribute in by for value in attribute.values}
        colors = tuple((value, color) for value, color in COLORS.items() if value in values)
        return replace(lines(text, Unit.rate(metric), target), colors=colors)

    def rates(self, text: Text, **metrics: Metric) -> Panel:
        """How often several counters grow, a line for each; the keyword is its legend."""
        targets = (
            Target(self.queries.rate(metric), word.replace("_", " ")) for word, metric in metrics.items()
        )
        return lines(text, Unit.rate(next(iter(metrics.values()))), *targets)

    def level(self, text: Text, metric: Metric, *by: Attribute) -> Panel:
        """What a gauge says, a line for each value of the attributes."""
        labels = names(by)
        target = Target(self.queries.value(metric, labels), legend(*labels) or "all")
        return lines(text, Unit.of(metric), target).without("Nothing reported")

    def quantiles(self, text: Text, metric: Metric) -> Panel:
        """The median, the 95th and the 99th percentile of a histogram, with exemplars."""
        # All quantiles come from the same buckets, and those have the same exemplars: once is enough.
        targets = (
            Target(
                self.queries.quantile(quantile, metric),
                f"p{quantile * 100:g}",
                exemplars=quantile == QUANTILES[-1],
            )
            for quantile in QUANTILES
        )
        return lines(text, Unit.of(metric), *targets).limits(*limits.latency(metric))

    def slowest(self, text: Text, metric: Metric, by: Attribute) -> Panel:
        """The 99th percentile of the ten slowest values of an attribute."""
        slow = call("topk", self.queries.quantile(0.99, metric, names((by,))), TOP)
        target = Target(slow, legend(by.label), exemplars=True)
        return lines(text, Unit.of(metric), target).limits(*limits.latency(metric))

    def traced(self, text: Text, metric: Metric, span: Span) -> Panel:
        """The 99th percentile of each service; a click finds its traces in Jaeger."""
        target = Target(self.queries.quantile(0.99, metric, (JOB,)), legend(JOB), exemplars=True)
        steps = limits.latency(metric)
        return Panel(text, View.LINES, Unit.of(metric), (target,), steps, traces=span)

    def spread(self, text: Text, metric: Metric) -> Panel:
        """A histogram as a heat map over time."""
        buckets = self.queries.naming.series(metric, Part.BUCKET)
        target = Target(self.queries.increase_of(buckets, ("le",)), legend("le"), exemplars=True)
        return Panel(text, View.HEATMAP, Unit.of(metric), (target,), width=12)

    def mean(self, text: Text, metric: Metric, by: Attribute) -> Panel:
        """The mean of a histogram, a line for each value of the attribute."""
        target = Target(self.queries.mean(metric, names((by,))), legend(by.label))
        return lines(text, Unit.of(metric), target)

    def top(self, text: Text, metric: Metric, by: Attribute) -> Panel:
        """The ten largest values of an attribute over the whole shown range."""
        grown = self.queries.over(RANGE).increase(metric, names((by,)))
        return bars(text, Unit.COUNT, call("topk", above(grown, 0), TOP), by.label)

    def highest(self, text: Text, metric: Metric, by: Attribute) -> Panel:
        """The ten highest levels of a gauge now."""
        level = call("topk", self.queries.value(metric, names((by,))), TOP)
        return bars(text, Unit.of(metric), level, by.label).without("Nothing reported")
