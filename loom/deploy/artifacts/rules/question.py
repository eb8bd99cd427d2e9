"""The questions that several alerts ask, each safe where there is little traffic or none; their inputs."""

from collections.abc import Iterable, Sequence

from loom.contract.attribute import Attribute
from loom.contract.metric import Metric
from loom.contract.promql import Expression, LabelError, Matcher, Queries, above, binary, both
from loom.contract.recording import LEVEL, Failure
from loom.contract.resource import JOB
from loom.contract.series import Part
from loom.deploy.artifacts.rules.course import Course
from loom.deploy.artifacts.rules.scene import Input
from loom.deploy.plan.model import Plan

LEAST_CALLS = 10
"""Below this many in the window a share says nothing: one failure of three is not an outage."""


def failing(plan: Plan, failure: Failure, share: float, window: str, by: Iterable[str] = ()) -> Expression:
    """Share of a counter that failed within the window, where it is above `share` and there was traffic.

    Without a failure, and without traffic, it is empty: a missing part has no quotient, 0/0 is above nothing.
    """
    queries, labels = Queries(plan.naming, window=window), (*LEVEL, *by)
    part = queries.matching(failure.matcher).rate(failure.metric, labels)
    whole = queries.rate(failure.metric, labels)
    enough = above(queries.increase(failure.metric, labels), LEAST_CALLS)
    return both(above(binary(part, "/", whole), share), enough)


def increased(plan: Plan, metric: Metric, window: str, by: Iterable[str], *matchers: Matcher) -> Expression:
    """By how much a counter grew within the window."""
    return Queries(plan.naming, matchers, window).increase(metric, (*LEVEL, *by))


def occurred(plan: Plan, metric: Metric, window: str, by: Iterable[str], *matchers: Matcher) -> Expression:
    """How often something happened within the window that makes its counter when it happens first."""
    return Queries(plan.naming, matchers, window).occurred(metric, (*LEVEL, *by))


def where(attribute: Attribute, *values: str) -> Matcher:
    """Selects values of an attribute; LabelError when its closed set does not have them."""
    _allowed(attribute, values)
    return Matcher(attribute.label, "=" if len(values) == 1 else "=~", "|".join(values))


def whose(jobs: Sequence[str]) -> Matcher:
    """Selects what some scrape jobs say."""
    return Matcher(JOB, "=" if len(jobs) == 1 else "=~", "|".join(jobs))


def of(plan: Plan, metric: Metric, course: Course, /, **labels: str) -> Input:
    """A series of a metric that is no histogram; LabelError for a value that its attribute never has."""
    return part_of(plan, metric, Part.VALUE, course, **labels)


def part_of(plan: Plan, metric: Metric, part: Part, course: Course, /, **labels: str) -> Input:
    """A series of a metric, of a histogram too."""
    for attribute in metric.attributes:
        _allowed(attribute, [labels[attribute.label]] if attribute.label in labels else [])
    return Input(plan.naming.series(metric, part), course, labels)


def _allowed(attribute: Attribute, values: Iterable[str]) -> None:
    unknown = [value for value in values if attribute.values and value not in attribute.values]
    if unknown:
        message = f"{attribute.name} is never {', '.join(unknown)}; it is {', '.join(attribute.values)}"
        raise LabelError(message)
