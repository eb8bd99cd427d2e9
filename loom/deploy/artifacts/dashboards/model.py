"""What a dashboard is, before it is Grafana's: frozen data, free of the SDK.

`verify` runs every expression from here against the live Prometheus; `classic` turns it into JSON.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from loom.contract.metric import Metric
from loom.contract.promql import Expression
from loom.contract.span import Span


class Unit(StrEnum):
    """Grafana's ids of the units in use."""

    SECONDS = "s"
    RATIO = "percentunit"
    USD = "currencyUSD"
    COUNT = "short"
    EVENTS_PER_SECOND = "eps"
    PER_SECOND = "ops"
    TOKENS_PER_SECOND = "suffix:tokens/s"
    BYTES = "bytes"

    @classmethod
    def of(cls, metric: Metric) -> "Unit":
        """The unit of a metric's value."""
        return {"s": cls.SECONDS, "1": cls.RATIO, "{USD}": cls.USD}.get(metric.unit, cls.COUNT)

    @classmethod
    def rate(cls, metric: Metric) -> "Unit":
        """The unit of a counter's rate."""
        return cls.EVENTS_PER_SECOND if metric.unit == "{event}" else cls.PER_SECOND


class View(StrEnum):
    """How a panel shows its data; the value is Grafana's panel type."""

    LINES = "timeseries"
    STAT = "stat"
    BARS = "bargauge"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel says about itself."""

    title: str
    description: str
    """What it shows and how to read it, in full sentences."""


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel."""

    expression: Expression
    legend: str
    """Words, or a label in Grafana's braces: `{{topic}}`."""
    instant: bool = False
    """Whether only the end of the shown range is asked for."""
    exemplars: bool = False
    """Whether sampled traces are shown as points; for histograms."""


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on, this colour."""

    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel."""

    text: Text
    view: View
    unit: Unit
    targets: tuple[Target, ...]
    steps: tuple[Step, ...] = ()
    """Thresholds, ascending; below the first one it is green. Empty: no thresholds."""
    width: int = 8
    """In columns, of which there are 24."""
    shows_names: bool = False
    """Whether a single number shows its legend beside it."""
    colors: tuple[tuple[str, str], ...] = ()
    """Legends with a colour of their own."""
    traces: Span | None = None
    """The span that a click looks up in Jaeger; the legend must then be the service."""
    empty: str = "No traffic"
    """What is shown where a query has no result."""

    def wide(self, width: int) -> "Panel":
        """The same in another width."""
        return replace(self, width=width)

    def limits(self, *steps: Step) -> "Panel":
        """The same with thresholds."""
        return replace(self, steps=steps)

    def named(self) -> "Panel":
        """The same with legends beside the numbers."""
        return replace(self, shows_names=True)

    def without(self, empty: str) -> "Panel":
        """The same with other words for no result."""
        return replace(self, empty=empty)


@dataclass(frozen=True, slots=True)
class Row:
    """A titled row of panels of one height; they wrap after 24 columns."""

    title: str
    panels: tuple[Panel, ...]
    height: int = 8
    """In grid units of 30 pixels."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of every dashboard: all values that a label of a series has."""

    name: str
    label: str
    """What the user reads."""
    series: Expression
    values: str
    """The label whose values are offered."""

    @property
    def query(self) -> str:
        """As Grafana's Prometheus data source takes it."""
        return f"label_values({self.series}, {self.values})"


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    name: str
    """Its uid, and its file's name: `loom-event-bus`; never changes, since links and bookmarks hold it."""
    title: str
    description: str
    rows: tuple[Row, ...]

    def panels(self) -> Iterator[Panel]:
        """Every panel, from the top left."""
        for row in self.rows:
            yield from row.panels
