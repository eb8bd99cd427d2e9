"""What a look at the inspection shows: frozen data, for people and programs alike."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from loom.deploy.embedded.fault import Counted, Fault
from loom.errors import Problem

SCHEMA = 1
"""Version of the JSON's shape: it grows only when a reader of the last one would fail."""


class State(StrEnum):
    """How much of an entry was seen."""

    SEEN = "seen"
    PARTLY = "partly seen"
    """There, without some values of its closed sets."""
    WAITING = "not yet seen"
    QUIET = "none, as it should be"
    """Not there, and only there when something is wrong or a budget spent."""


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """An attribute of a metric or span."""

    name: str
    seen: tuple[str, ...] = ()
    """Values of a closed set that a healthy run can show and did; of a span's attribute its name, if seen."""
    missing: tuple[str, ...] = ()
    """Values of a closed set that were not seen and could be."""
    distinct: int = 0
    """Distinct values of an open set, of all processes."""
    budget: int = 0
    """Distinct values that one process may record; 0 for closed sets."""


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One series, now."""

    service: str
    attributes: Mapping[str, str]
    value: float
    """Of a histogram its count."""
    mean: float | None
    """Of a histogram, in the metric's unit."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of the contract."""

    name: str
    scope: str
    kind: str
    unit: str
    description: str
    rare: bool
    """Whether only a spent budget brings it: it does not count for coverage."""
    state: State
    required: bool
    faults: int
    series: int
    value: float
    """Sum over all series; of a histogram the number of measurements."""
    mean: float | None
    attributes: tuple[AttributeRow, ...]
    latest: tuple[SeriesRow, ...]
    """The first few series."""


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span of the contract, or of another library that the contract knows."""

    key: str
    name: str
    scope: str
    kind: str
    description: str
    state: State
    required: bool
    faults: int
    count: int
    errors: int
    mean: float
    """Seconds."""
    longest: float
    """Seconds."""
    parents: tuple[str, ...]
    attributes: tuple[AttributeRow, ...]


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """A scope that is not ours: listed, not judged."""

    scope: str
    metrics: int
    """Different ones."""
    spans: int


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process that sent something."""

    service: str
    instance: str
    version: str
    environment: str


@dataclass(frozen=True, slots=True)
class Share:
    """Seen of all."""

    seen: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything at one moment."""

    metrics: tuple[MetricRow, ...]
    spans: tuple[SpanRow, ...]
    foreign: tuple[ForeignRow, ...]
    processes: tuple[ProcessRow, ...]
    faults: tuple[Counted, ...]
    """What is there and not as the contract says."""
    dropped: int
    """Further faults that were not kept."""
    absent: tuple[Fault, ...]
    """What was required and was not seen."""
    coverage: Mapping[str, Share]
    """Of `metrics`, `values` of closed sets, and `spans`."""
    points: int
    arrived: int
    """Spans, of other libraries too."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong first, then what is missing."""
        more = [Problem(f"{self.dropped} more that are not listed")] if self.dropped else []
        wrong = [counted.problem for counted in self.faults]
        return (*wrong, *more, *(fault.problem for fault in self.absent))

    @property
    def good(self) -> bool:
        """Whether the contract is kept and complete."""
        return not self.problems

    @property
    def percent(self) -> float:
        """Coverage in all, 0 to 100."""
        total = sum(share.total for share in self.coverage.values())
        return 100 * sum(share.seen for share in self.coverage.values()) / total if total else 0.0


def document(report: Report) -> dict[str, Any]:
    """The report for machines: JSON types only."""
    rows = asdict(report)
    del rows["faults"], rows["absent"], rows["dropped"]
    return {
        "schema": SCHEMA,
        "good": report.good,
        "percent": round(report.percent, 1),
        "problems": [{"message": found.message, "hint": found.hint} for found in report.problems],
        "broken": len(report.faults) + report.dropped,
        "absent": len(report.absent),
        **rows,
    }
