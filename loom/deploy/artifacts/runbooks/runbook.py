"""What a runbook says, and the steps of its diagnosis. Data."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from loom.contract.metric import Metric
from loom.contract.promql import Expression, Matcher, Queries, aggregate, call, select
from loom.contract.series import Series
from loom.contract.span import Span
from loom.deploy.plan.model import Plan, Service


class Asked(StrEnum):
    """Who answers: the variable of the page that holds its address."""

    PROMETHEUS = "PROMETHEUS"
    JAEGER = "JAEGER"
    ALERTMANAGER = "ALERTMANAGER"
    COLLECTOR = "COLLECTOR"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it shows, and the command."""

    shows: str
    """A few words without a full stop."""
    command: str
    """For bash; one line."""
    query: str = ""
    """The PromQL in it; empty when it asks something else."""


@dataclass(frozen=True, slots=True)
class Runbook:
    """Everything about one alert that its rule does not say."""

    meaning: str
    impact: str
    remedy: str
    steps: Callable[["Ask"], tuple[Step, ...]]
    """Behind the alert's own question."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Builds steps under the naming rule of a plan."""

    plan: Plan

    def expression(self, shows: str, expression: Expression) -> Step:
        """Any PromQL."""
        text = str(expression)
        return Step(shows, curl(Asked.PROMETHEUS, "/api/v1/query", f"query={text}"), text)

    def rate(self, shows: str, metric: Metric, *by: str, over: str = "5m", **where: str) -> Step:
        """Per-second rate of a counter, the largest five first."""
        rate = Queries(self.plan.naming, window=over).where(**where).rate(metric, by)
        return self.expression(shows, call("topk", rate, 5))

    def increase(self, shows: str, metric: Metric, *by: str, over: str, **where: str) -> Step:
        """How much a counter grew."""
        return self.expression(
            shows, Queries(self.plan.naming, window=over).where(**where).increase(metric, by)
        )

    def failed(self, shows: str, metric: Metric, failure: Matcher, *by: str) -> Step:
        """Per-second rate of what failed, the largest five first."""
        rate = Queries(self.plan.naming).matching(failure).rate(metric, by)
        return self.expression(shows, call("topk", rate, 5))

    def value(self, shows: str, metric: Metric, *by: str) -> Step:
        """A gauge, the largest five first."""
        return self.expression(shows, call("topk", Queries(self.plan.naming).value(metric, by), 5))

    def quantile(self, shows: str, metric: Metric, quantile: float, *by: str) -> Step:
        """A quantile of a histogram over five minutes."""
        return self.expression(shows, Queries(self.plan.naming).quantile(quantile, metric, by))

    def foreign(self, shows: str, series: Series, *by: str, **where: str) -> Step:
        """A series of another program as it is now, or its rate when it is summed by labels."""
        matchers = tuple(Matcher(label, "=", value) for label, value in where.items())
        if not by:
            return self.expression(shows, select(series, matchers))
        rate = call("rate", select(series, matchers, "5m"))
        return self.expression(shows, aggregate("sum", rate, by=by))

    def traces(self, shows: str, span: Span, *more: str, **tags: str) -> Step:
        """Traces of the service that the alert names, with such a span."""
        about = ["service=$SERVICE", f"operation={span.name}", *more, "limit=5"]
        tagged = [f"tags={json.dumps(tags)}"] if tags else []
        return Step(shows, curl(Asked.JAEGER, "/api/traces", *about, *tagged))

    def api(self, shows: str, asked: Asked, path: str) -> Step:
        """What a program's own interface says."""
        return Step(shows, curl(asked, path))

    def log(self, service: Service) -> Step:
        """The last lines of a program's log."""
        return Step(f"what {service} says", f"loom-deploy logs {service}")

    def shell(self, shows: str, command: str) -> Step:
        """Anything else."""
        return Step(shows, command)


def again(span: str) -> str:
    """What must be known of an alert that counts the first value of a series too."""
    return (
        f"A series that is younger than {span} counts with all it says: where Prometheus did not scrape for"
        " as long, or has lost its data, this tells once more what happened before."
    )


def curl(asked: Asked, path: str, *parameters: str) -> str:
    """Right for plain and for protected deployments: address and login come from outside."""
    data = "".join(f" --data-urlencode {_quoted(parameter)}" for parameter in parameters)
    return f'curl -sS{"G" if parameters else ""} "${asked}{path}"{data}'


def _quoted(text: str) -> str:
    """In single quotes; in double ones where a variable must be filled in."""
    return f'"{text}"' if "$" in text else f"'{text}'"
