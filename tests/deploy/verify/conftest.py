"""Evidence as a healthy deployment leaves it, made from the contract."""

from collections.abc import Callable

import pytest

from loom.contract import metrics as m
from loom.contract import scopes
from loom.contract import spans as s
from loom.contract.attribute import Attribute
from loom.contract.metric import Metric
from loom.contract.resource import ENVIRONMENT_LABEL
from loom.contract.series import Part, Series
from loom.contract.span import Span
from loom.deploy.plan import derive
from loom.deploy.plan.model import Plan
from loom.deploy.profile.model import Profile
from loom.deploy.verify.evidence import Evidence, Sample, SeenSpan, Target
from loom.deploy.verify.expectation import Expectations, expect

_VALUES: dict[str, str | int | float | bool] = {"string": "x", "int": 1, "double": 0.5, "boolean": False}


def _plan(**sections: object) -> Plan:
    document = {"name": "dev", "volumes": {"prometheus": "20GB"}, **sections}
    return derive(Profile.model_validate(document))


def _sample(metric: Metric, series: Series, expected: Expectations) -> Sample:
    labels = dict.fromkeys(series.labels, "x")
    labels |= {attribute.label: attribute.values[0] for attribute in metric.attributes if attribute.values}
    labels[ENVIRONMENT_LABEL] = expected.environment
    return Sample(labels, 4.0)


def _value(attribute: Attribute) -> str | int | float | bool:
    return attribute.values[0] if attribute.values else _VALUES[attribute.type]


def _span(span: Span, number: int, parent: SeenSpan | None = None) -> SeenSpan:
    return SeenSpan(
        trace_id=parent.trace_id if parent else f"trace{number}",
        span_id=f"span{number}",
        parent_id=parent.span_id if parent else "",
        operation=f"{span.name} x" if span.suffix else span.name,
        service="loom",
        scope=span.scope,
        kind=span.kind,
        status="OK",
        attributes={attribute.name: _value(attribute) for attribute in span.attributes},
    )


def _spans(spans: tuple[Span, ...]) -> tuple[SeenSpan, ...]:
    """One of each, below the parent it needs."""
    found: dict[str, SeenSpan] = {}
    for span in sorted(spans, key=lambda span: bool(span.parents)):
        parent = next((found[key] for key in span.parents if key in found), None)
        found[span.key] = _span(span, len(found), parent)
    # Parents may themselves come later in the contract: a second round finds them.
    for number, span in enumerate(spans):
        if span.parents and "" not in span.parents and not found[span.key].parent_id:
            found[span.key] = _span(span, 100 + number, found[span.parents[0]])
    return tuple(found.values())


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """A plan from sections of a profile."""
    return _plan


@pytest.fixture
def healthy() -> Callable[[Expectations], Evidence]:
    """Everything that is expected, and nothing else."""

    def make(expected: Expectations) -> Evidence:
        samples = {
            series.name: (_sample(metric, series, expected),)
            for metric in expected.metrics
            for series in expected.naming.all_series(metric)
        }
        spans = _spans(expected.spans) if expected.ratio else ()
        exported = expected.naming.series(m.telemetry.SPANS_EXPORTED).name
        samples[exported] = (Sample(samples[exported][0].labels, float(len(spans))),)
        bucket = expected.naming.series(m.event_bus.PUBLISH_LATENCY, Part.BUCKET).name
        traces = tuple({span.trace_id for span in spans})
        return Evidence(
            samples,
            tuple(Target(job, up=True) for job in expected.targets),
            spans,
            exemplars={bucket: traces},
            resolved=frozenset(traces),
        )

    return make


@pytest.fixture
def everything() -> Expectations:
    """Expectations of a runtime with every component."""
    return expect(_plan(), scopes.ALL)


@pytest.fixture
def contract_spans() -> tuple[Span, ...]:
    """Every span of the contract."""
    return s.ALL
