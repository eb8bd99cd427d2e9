"""The one function that turns an instrument into Prometheus series names; nothing else knows the rule.

`documented` is the collector's and Prometheus' own translation strategy UnderscoreEscapingWithoutSuffixes,
`prometheus` is UnderscoreEscapingWithSuffixes; a namespace is put in front of either.
"""

from dataclasses import dataclass
from enum import StrEnum

from loom.contract.metric import Kind, Metric
from loom.contract.resource import TARGET_LABELS
from loom.contract.series import Part, Series


class Style(StrEnum):
    """How instrument names become series names."""

    DOCUMENTED = "documented"
    PROMETHEUS = "prometheus"


_UNIT_WORDS = {"s": "seconds", "ms": "milliseconds", "By": "bytes"}


@dataclass(frozen=True, slots=True)
class Naming:
    """A naming rule: the style and the namespace in front of every name."""

    style: Style = Style.DOCUMENTED
    namespace: str = ""

    @property
    def translation_strategy(self) -> str:
        """The name the collector and Prometheus have for the style."""
        suffixes = "WithSuffixes" if self.style is Style.PROMETHEUS else "WithoutSuffixes"
        return f"UnderscoreEscaping{suffixes}"

    def base(self, metric: Metric) -> str:
        """The series name of a metric without the part of a histogram."""
        name = metric.name.replace(".", "_")
        if self.style is Style.PROMETHEUS:
            name = _suffixed(name, metric)
        return f"{self.namespace}_{name}" if self.namespace else name

    def joined(self, metric: Metric) -> str:
        """The same where the namespace is part of the instrument's own name: a suffix in it is moved."""
        if self.style is not Style.PROMETHEUS:
            return self.base(metric)
        return _suffixed(f"{self.namespace}.{metric.name}".replace(".", "_"), metric)

    def series(self, metric: Metric, part: Part = Part.VALUE) -> Series:
        """One series of a metric: its value, or a histogram's buckets, sum or count.

        ValueError when the part does not exist for the metric's kind.
        """
        if (metric.kind is Kind.HISTOGRAM) == (part is Part.VALUE):
            message = f"{metric.name} is a {metric.kind}: it has no {part.name.lower()} series"
            raise ValueError(message)
        labels = [attribute.label for attribute in metric.attributes]
        if part is Part.BUCKET:
            labels.append("le")
        return Series(self.base(metric) + part.value, (*labels, *TARGET_LABELS))

    def all_series(self, metric: Metric) -> tuple[Series, ...]:
        """Every series of a metric."""
        histogram = metric.kind is Kind.HISTOGRAM
        parts = (Part.BUCKET, Part.SUM, Part.COUNT) if histogram else (Part.VALUE,)
        return tuple(self.series(metric, part) for part in parts)


def _suffixed(name: str, metric: Metric) -> str:
    """Put the unit and `_total` at the end, as OpenTelemetry's translator to Prometheus does."""
    total = metric.kind is Kind.COUNTER
    words = [word for word in name.split("_") if word]
    if total:
        words = [word for word in words if word != "total"]
    unit = _UNIT_WORDS.get(metric.unit, "")
    if metric.unit == "1" and metric.kind in {Kind.GAUGE, Kind.OBSERVABLE_GAUGE, Kind.UP_DOWN_COUNTER}:
        unit = "ratio"
    if unit and unit not in words:
        words.append(unit)
    return "_".join([*words, "total"] if total else words)
