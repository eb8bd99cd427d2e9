"""The rows of a report, from what was watched. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from loom.contract import foreign
from loom.contract.attribute import Attribute
from loom.contract.coverage import RARE, reachable
from loom.contract.metric import Kind, Metric
from loom.contract.span import Span, SpanKind
from loom.deploy.embedded.fault import Fault, Faults, Subject
from loom.deploy.embedded.metric_watch import MetricWatch, SeriesKey, counts
from loom.deploy.embedded.report import AttributeRow, MetricRow, SeriesRow, Share, SpanRow, State
from loom.deploy.embedded.requirement import Need
from loom.deploy.embedded.span_watch import SpanWatch
from loom.receiver.arrival import Point

_LISTED = 20
"""Series of a metric that are listed one by one."""


def metric_row(metric: Metric, watch: MetricWatch, faults: Faults, need: Need) -> MetricRow:
    """One metric as it stands."""
    held = watch.series(metric)
    attributes = tuple(_attribute(metric, attribute, watch) for attribute in metric.attributes)
    value = sum(point.value for point in held.values())
    return MetricRow(
        name=metric.name,
        scope=metric.scope,
        kind=metric.kind,
        unit=metric.unit,
        description=metric.description,
        rare=metric in RARE,
        state=_state(metric, held.values(), attributes),
        required=need > Need.NOTHING,
        faults=faults.about(Subject.METRIC, metric.name),
        series=len(held),
        value=value,
        mean=_mean(metric, sum(point.total for point in held.values()), value),
        attributes=attributes,
        latest=tuple(_series(metric, key, point) for key, point in islice(held.items(), _LISTED)),
    )


def _attribute(metric: Metric, attribute: Attribute, watch: MetricWatch) -> AttributeRow:
    if attribute.values:
        recorded = watch.recorded(metric, attribute)
        values = reachable(attribute)
        seen = tuple(value for value in values if value in recorded)
        return AttributeRow(attribute.name, seen, tuple(value for value in values if value not in recorded))
    found = {point.attributes.get(attribute.name) for point in watch.series(metric).values()}
    return AttributeRow(attribute.name, distinct=len(found - {None}), budget=attribute.budget)


def _state(metric: Metric, points: Iterable[Point], attributes: tuple[AttributeRow, ...]) -> State:
    if not any(counts(metric, point) for point in points):
        return State.QUIET if metric in RARE else State.WAITING
    return State.PARTLY if any(attribute.missing for attribute in attributes) else State.SEEN


def _mean(metric: Metric, total: float, count: float) -> float | None:
    return total / count if metric.kind is Kind.HISTOGRAM and count else None


def _series(metric: Metric, key: SeriesKey, point: Point) -> SeriesRow:
    labels = {name: str(value) for name, value in sorted(point.attributes.items())}
    return SeriesRow(key.process.service, labels, point.value, _mean(metric, point.total, point.value))


def span_row(span: Span, watch: SpanWatch, faults: Faults, need: Need) -> SpanRow:
    """One span as it stands."""
    tally = watch.tally(span.key)
    every = (*span.attributes, *span.optional)
    return SpanRow(
        key=span.key,
        name=f"{span.name} …" if span.suffix else span.name,
        scope=span.scope,
        kind=span.kind,
        description=span.description,
        state=State.SEEN if tally.count else State.WAITING,
        required=need > Need.NOTHING,
        faults=faults.about(Subject.SPAN, span.key),
        count=tally.count,
        errors=tally.errors,
        mean=tally.seconds / tally.count if tally.count else 0.0,
        longest=tally.longest,
        parents=tuple(sorted(tally.parents)),
        attributes=tuple(
            AttributeRow(x.name, (x.name,) if x.name in tally.attributes else ()) for x in every
        ),
    )


def known_foreign_spans() -> tuple[Span, ...]:
    """Other libraries' spans that the contract knows, in the form of ours."""
    return tuple(
        Span(each.prefix.strip(), each.scope, SpanKind(each.kind.lower()), each.description)
        for each in foreign.SPANS
    )


def shares(metric_rows: Sequence[MetricRow], span_rows: Sequence[SpanRow]) -> dict[str, Share]:
    """Seen of all: metrics, values of closed sets, spans."""
    rows = [row for row in metric_rows if not row.rare]
    values = [attribute for row in rows for attribute in row.attributes]
    never = [len(attribute.missing) for attribute in values]
    reached = [len(attribute.seen) for attribute in values]
    return {
        "metrics": Share(sum(row.state is not State.WAITING for row in rows), len(rows)),
        "values": Share(sum(reached), sum(reached) + sum(never)),
        "spans": Share(sum(row.state is State.SEEN for row in span_rows), len(span_rows)),
    }


def absences(metric: Metric, row: MetricRow, need: Need) -> Iterator[Fault]:
    """What is required of a metric and was not seen."""
    if need is Need.NOTHING:
        return
    if row.state in {State.WAITING, State.QUIET}:
        hint = f"recorded: {metric.description.rstrip('.').lower()}"
        yield Fault(Subject.METRIC, metric.name, "has not been seen", hint)
        return
    for attribute in row.attributes if need is Need.COMPLETE else ():
        if attribute.missing:
            text = f"has not been seen with {attribute.name}={'|'.join(attribute.missing)}"
            yield Fault(Subject.METRIC, metric.name, text)


def span_absence(row: SpanRow, need: Need) -> Iterator[Fault]:
    """The same of a span."""
    if need and row.state is State.WAITING:
        yield Fault(
            Subject.SPAN, row.key, "has not been seen", f"made for: {row.description.rstrip('.').lower()}"
        )
