"""What the collector cannot add up, and what is gone when it did."""

from collections.abc import Iterator
from difflib import get_close_matches

from loom.contract.metrics import ALL
from loom.contract.resource import TARGET_LABELS
from loom.deploy.plan.estimate import points
from loom.deploy.plan.finding import at
from loom.deploy.plan.model import Plan
from loom.deploy.plan.reduction import ADDABLE, dropped
from loom.errors import Problem

REQUEST_POINTS = 10_000
"""Points that Loom sends in one request, as `loom.telemetry` has it: with more, a metric is cut in two."""
_PATH = "collector.aggregation"
_METRICS = {metric.name: metric for metric in ALL}
_KNOWN = {name for metric in ALL for one in metric.attributes for name in (one.name, one.label)}


def labels(plan: Plan) -> Iterator[Problem]:
    """Labels that no metric has, or that only a rule can add up over."""
    chosen = plan.profile.collector.aggregation
    if chosen.drop_labels and chosen.keep_labels:
        yield at(plan.profile, f"{_PATH}.keep_labels", "contradicts drop_labels", "keep one of them")
    for key, names in (("drop_labels", chosen.drop_labels), ("keep_labels", chosen.keep_labels)):
        for name in names:
            path = f"{_PATH}.{key}"
            if name in TARGET_LABELS and key == "drop_labels":
                message = f"{name} cannot be added up here: each process counts from its own start"
                hint = "the recorded series have no instance; federate or write those"
                yield at(plan.profile, path, message, hint)
            elif name not in _KNOWN and name not in TARGET_LABELS:
                near = get_close_matches(name, _KNOWN, 1)
                hint = f"did you mean {near[0]!r}?" if near else "METRICS.md lists them"
                yield at(plan.profile, path, f"no metric of the contract has a label {name!r}", hint)


def metrics(plan: Plan) -> Iterator[Problem]:
    """Metrics that the contract does not know, that cannot be added up, or that lose nothing."""
    profile, path = plan.profile, f"{_PATH}.metrics"
    chosen = profile.collector.aggregation
    if chosen.metrics and not chosen.chosen:
        yield at(profile, path, "has no effect without drop_labels or keep_labels", "write one, or remove it")
        return
    for name in chosen.metrics:
        metric = _METRICS.get(name)
        if metric is None:
            near = get_close_matches(name, _METRICS, 1)
            hint = f"did you mean {near[0]!r}?" if near else "METRICS.md lists them"
            yield at(profile, path, f"the contract has no metric {name!r}", hint)
        elif metric.kind not in ADDABLE:
            message = f"{name} is a gauge: the sum of its values may mean nothing"
            yield at(profile, path, message, "remove it; rules and panels choose how to join its values")
        elif not dropped(profile, metric):
            yield at(profile, path, f"{name} has no label to lose", "remove it")


def whole(plan: Plan) -> Iterator[Problem]:
    """Halves of a metric, in two requests, would each be taken for the whole."""
    found = points(plan.profile.workload)
    if plan.profile.collector.aggregation.chosen and found > REQUEST_POINTS:
        message = f"a process may send {found:,} points, more than the {REQUEST_POINTS:,} of one request"
        hint = "lower the numbers in workload to what is in use, or let the recorded series do it"
        yield at(plan.profile, _PATH, message, hint)


CHECKS = (labels, metrics, whole)


def remarks(plan: Plan) -> Iterator[Problem]:
    """What is gone for good."""
    lost = [metric for metric in ALL if dropped(plan.profile, metric)]
    if lost:
        names = ", ".join(metric.name for metric in lost)
        message = (
            f"of {names} the labels are gone for good, and the exemplars of all but one value of a counter"
        )
        yield at(plan.profile, _PATH, message, "histograms keep all their exemplars")
