"""What must be found: from the contract, the plan, and the components that are in use. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from loom.contract import metrics as m
from loom.contract import scopes
from loom.contract import spans as s
from loom.contract.coverage import RARE, TROUBLE
from loom.contract.metric import Kind, Metric
from loom.contract.naming import Naming
from loom.contract.series import Part, Series
from loom.contract.span import Span
from loom.deploy.artifacts.prometheus import targets
from loom.deploy.plan.model import Plan
from loom.deploy.plan.reduction import delivered

TRACES = 1500

COUNTED = {
    s.event_bus.PUBLISH.key: m.event_bus.PUBLISHED,
    s.action_broker.INVOKE.key: m.action_broker.INVOCATIONS,
}
"""Key of a span → the counter that grows with each one, kept or not: what sampling is measured against."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """Everything that must be found, and under which rules."""

    naming: Naming
    metrics: tuple[Metric, ...]
    """Each must be there, with all its series and labels."""
    troubles: tuple[Metric, ...]
    """None may be above zero."""
    optional: tuple[Metric, ...]
    """Each may be there or not; labels are looked at when it is."""
    spans: tuple[Span, ...]
    """Each must be there, unless sampling explains its absence."""
    targets: tuple[str, ...]
    """Scrape jobs that must be up."""
    environment: str
    """Value of the environment label."""
    ratio: float
    """Share of traces that is kept, 0 to 1."""
    traces: int = TRACES
    """Traces of a service that are fetched; with more, what needs all of them is not judged."""

    def series(self) -> tuple[Series, ...]:
        """Every series that has to be asked for."""
        every = (*self.metrics, *self.troubles, *self.optional)
        return tuple(series for metric in every for series in self.naming.all_series(metric))

    def buckets(self) -> tuple[Series, ...]:
        """The series that carry exemplars."""
        histograms = (metric for metric in self.metrics if metric.kind is Kind.HISTOGRAM)
        return tuple(self.naming.series(metric, Part.BUCKET) for metric in histograms)

    def count(self, span: Span) -> Series | None:
        """The counter that grows with each such span; None when there is none."""
        metric = COUNTED.get(span.key)
        return self.naming.series(metric) if metric else None


def expect(plan: Plan, components: Collection[str] = scopes.ALL) -> Expectations:
    """The expectations of a plan, for components named by their scopes; telemetry's own always count."""
    wanted = {*components, scopes.TELEMETRY}
    known = [metric for metric in delivered(plan.profile) if metric.scope in wanted]
    trouble, rare = ({metric.name for metric in group} for group in (TROUBLE, RARE))
    return Expectations(
        naming=plan.naming,
        metrics=tuple(metric for metric in known if metric.name not in trouble | rare),
        troubles=tuple(metric for metric in known if metric.name in trouble),
        optional=tuple(metric for metric in known if metric.name in rare),
        spans=tuple(span for span in s.ALL if span.scope in wanted),
        targets=tuple(target.job for target in targets(plan)),
        environment=plan.profile.environment,
        ratio=plan.profile.tracing.sampler.ratio,
        # Jaeger refuses to be asked for more than it keeps.
        traces=min(TRACES, plan.profile.tracing.max_traces),
    )
