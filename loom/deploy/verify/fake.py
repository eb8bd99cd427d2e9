"""The fakes of the seams: stores that hold what a test puts into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from loom.contract.series import Series
from loom.deploy.verify.evidence import Sample, SeenSpan, Target
from loom.deploy.verify.prometheus import Window


@dataclass
class FakeMetrics:
    """A Prometheus in memory."""

    held: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    """Series name → its series."""
    scraped: tuple[Target, ...] = ()
    traced: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Series name → trace ids of its exemplars."""
    before: bool = False
    """Whether everything was there when the window began."""
    looks: int = 0
    """How often it was asked for its targets: once a look."""

    def samples(self, series: Series, window: Window) -> tuple[Sample, ...]:
        """See `MetricStore.samples`."""
        found = self.held.get(series.name, ())
        return tuple(s for s in found if not window.services or s.labels.get("job") in window.services)

    def existed(self, series: Series, window: Window) -> bool:
        """See `MetricStore.existed`."""
        del series, window
        return self.before

    def targets(self) -> tuple[Target, ...]:
        """See `MetricStore.targets`."""
        self.looks += 1
        return self.scraped

    def exemplars(self, series: Series, window: Window) -> tuple[str, ...]:
        """See `MetricStore.exemplars`."""
        del window
        return self.traced.get(series.name, ())


@dataclass
class FakeTraces:
    """A Jaeger in memory."""

    held: list[list[SeenSpan]] = field(default_factory=list)
    """Traces."""

    def services(self) -> tuple[str, ...]:
        """See `TraceStore.services`."""
        return tuple(sorted({span.service for trace in self.held for span in trace}))

    def operations(self, service: str) -> tuple[str, ...]:
        """See `TraceStore.operations`."""
        every = {span.operation for trace in self.held for span in trace if span.service == service}
        return tuple(sorted(every))

    def traces(self, service: str, window: Window, limit: int, operation: str = "") -> list[list[SeenSpan]]:
        """See `TraceStore.traces`."""
        del window
        found = [
            trace
            for trace in self.held
            if any(span.service == service and operation in {"", span.operation} for span in trace)
        ]
        return found[:limit]

    def has(self, trace_id: str) -> bool:
        """See `TraceStore.has`."""
        return any(span.trace_id == trace_id for trace in self.held for span in trace)
