"""Whether rules, alerts and panels can do with what the collector leaves of the metrics: PlanError when not.

What a file asks for is read from its own text, so that nothing has to be declared twice: a query that names a
series and a label needs the label of that series.
"""

import json
import re
from collections.abc import Iterator, Sequence

from loom.contract.attribute import Attribute
from loom.contract.metric import Metric
from loom.contract.metrics import ALL
from loom.deploy.artifacts.model import Artifact, Check
from loom.deploy.plan.finding import at
from loom.deploy.plan.model import Plan
from loom.deploy.plan.reduction import dropped
from loom.errors import PlanError, Problem


def refuse(plan: Plan, found: Sequence[Artifact]) -> None:
    """PlanError that names every label which is dropped and asked for, and by which files."""
    lost = [(metric, one) for metric in ALL for one in dropped(plan.profile, metric)]
    if not lost:
        return
    asking = {Check.PROMTOOL_RULES}
    if plan.profile.collector.aggregation.panels == "whole":
        asking.add(Check.DASHBOARD)
    asked = [(artifact.path, list(_queries(artifact))) for artifact in found if artifact.check in asking]
    problems = []
    for metric, attribute in lost:
        files = [path for path, texts in asked if any(_asks(plan, text, metric, attribute) for text in texts)]
        if files:
            problems.append(_problem(plan, metric, attribute, files))
    if problems:
        raise PlanError(*problems)


def _problem(plan: Plan, metric: Metric, attribute: Attribute, files: Sequence[str]) -> Problem:
    keep = bool(plan.profile.collector.aggregation.keep_labels)
    path = f"collector.aggregation.{'keep_labels' if keep else 'drop_labels'}"
    message = f"{attribute.label} of {metric.name} is asked for in {', '.join(files)}"
    hint = "name in collector.aggregation.metrics those that can do without it"
    if all(file.startswith("grafana/") for file in files):
        hint = "write panels: coarser if these may show one line for all, or name other metrics"
    return at(plan.profile, path, message, hint)


def _asks(plan: Plan, text: str, metric: Metric, attribute: Attribute) -> bool:
    names = "|".join(re.escape(series.name) for series in plan.naming.all_series(metric))
    return bool(re.search(rf"\b({names})\b", text)) and bool(re.search(rf"\b{attribute.label}\b", text))


def _queries(artifact: Artifact) -> Iterator[str]:
    """Every text of a file that may be a query."""
    if artifact.check is Check.DASHBOARD:
        yield from _texts(json.loads(artifact.text))
        return
    from yaml import CSafeLoader, load  # noqa: PLC0415 - slow to import, and rarely needed

    yield from _texts(load(artifact.text, CSafeLoader))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
