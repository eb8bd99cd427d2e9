"""One metric, as it arrived, against the contract. Pure."""

import math
from collections.abc import Iterator

from loom.contract import metrics
from loom.contract.coverage import TROUBLE
from loom.contract.metric import Kind, Metric
from loom.deploy.embedded.fault import Fault, Subject
from loom.receiver.arrival import CUMULATIVE, MetricArrival, Point, Shape

BY_NAME = {metric.name: metric for metric in metrics.ALL}
_SHAPES = {
    Kind.COUNTER: Shape.SUM,
    Kind.UP_DOWN_COUNTER: Shape.SUM,
    Kind.GAUGE: Shape.GAUGE,
    Kind.OBSERVABLE_GAUGE: Shape.GAUGE,
    Kind.HISTOGRAM: Shape.HISTOGRAM,
}
_SHOWN = 6
"""Boundaries or values that are quoted."""


def metric_faults(metric: Metric, seen: MetricArrival) -> Iterator[Fault]:
    """Everything that is wrong with the metric and its points, each by itself."""
    hint = f"the contract: {metric.kind}, unit {metric.unit}, by {metric.scope}"
    for text in (*_scope_faults(metric, seen), *_shape_faults(metric, seen)):
        yield Fault(Subject.METRIC, metric.name, text, hint)
    twice: set[frozenset[tuple[str, object]]] = set()
    for point in seen.points:
        yield from (Fault(Subject.METRIC, metric.name, *fault) for fault in _point_faults(metric, point))
        labels = frozenset(point.attributes.items())
        if labels in twice:
            text = f"the same series twice in one export: {_quoted(point)}"
            yield Fault(Subject.METRIC, metric.name, text, "two instruments record it; make it one")
        twice.add(labels)


def _scope_faults(metric: Metric, seen: MetricArrival) -> Iterator[str]:
    if seen.scope != metric.scope:
        yield f"it is recorded by scope {seen.scope or 'without a name'!r}, not {metric.scope!r}"
    if seen.unit != metric.unit:
        yield f"its unit is {seen.unit or 'not set'!r}, not {metric.unit!r}"


def _shape_faults(metric: Metric, seen: MetricArrival) -> Iterator[str]:
    expected = _SHAPES[metric.kind]
    if seen.shape is not expected:
        yield f"it is a {seen.shape}, not a {expected}"
        return
    if expected is Shape.GAUGE:
        return
    if seen.temporality != CUMULATIVE:
        yield f"its temporality is {seen.temporality or 'not set'}, not {CUMULATIVE}"
    if expected is Shape.SUM and seen.monotonic != (metric.kind is Kind.COUNTER):
        kinds = "a counter", "an up-down counter"
        is_, expected_ = kinds if seen.monotonic else reversed(kinds)
        yield f"it is {is_}, not {expected_}"


def _point_faults(metric: Metric, point: Point) -> Iterator[tuple[str, str]]:
    """Text and hint of each fault."""
    known = {attribute.name for attribute in metric.attributes}
    for name in sorted(point.attributes.keys() - known):
        hint = f"the contract: {', '.join(sorted(known)) or 'no attributes'}; what is unbounded goes on spans"
        yield f"it has an attribute that is not in the contract: {name}", hint
    for attribute in metric.attributes:
        value = point.attributes.get(attribute.name)
        if value is None:
            if attribute not in metric.conditional:
                yield f"a measurement lacks the attribute {attribute.name}", attribute.description
        elif not isinstance(value, str):
            yield f"{attribute.name}={value!r} is no string", "attributes of metrics are strings"
        elif attribute.values and value not in attribute.values:
            yield (
                f"{attribute.name}={value!r} is outside the closed set",
                f"one of {', '.join(attribute.values)}",
            )
    yield from _value_faults(metric, point)


def _value_faults(metric: Metric, point: Point) -> Iterator[tuple[str, str]]:
    if not math.isfinite(point.value) or not math.isfinite(point.total):
        yield "a value is not a finite number", "divide by nothing that can be zero"
    elif metric.kind is Kind.COUNTER and point.value < 0:
        yield f"a counter is {point.value:g}", "counters only grow"
    if metric in TROUBLE and point.value > 0:
        yield f"{point.value:g} ({_quoted(point)})", metric.description.rstrip(".")
    if metric.kind is not Kind.HISTOGRAM or not point.counts:
        return
    if point.bounds != metric.boundaries:
        yield (
            f"its bucket boundaries are {_listed(point.bounds)}",
            f"the contract: {_listed(metric.boundaries)}; set them on the instrument, or with a view",
        )
    if sum(point.counts) != point.value or len(point.counts) != len(point.bounds) + 1:
        yield "its buckets do not add up to its count", "an exporter's defect"


def _quoted(point: Point) -> str:
    labels = [f"{name}={value!r}" for name, value in sorted(point.attributes.items())]
    return ", ".join(labels) or "no attributes"


def _listed(bounds: tuple[float, ...]) -> str:
    shown = ", ".join(f"{bound:g}" for bound in bounds[:_SHOWN])
    return f"{shown} … ({len(bounds)})" if len(bounds) > _SHOWN else shown or "none"
