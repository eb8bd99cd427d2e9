"""Every query of every panel: what it names, and what a real Prometheus answers."""

from collections.abc import Iterator
from typing import Any, Protocol

import promql_parser
import pytest

from loom.contract import canary, foreign, metrics
from loom.contract.series import Part, Series
from loom.deploy.artifacts.dashboards import Board, Panel, Target, View, boards
from loom.deploy.artifacts.dashboards.catalogue import variables
from loom.deploy.artifacts.documents import metrics as reference
from loom.deploy.artifacts.grafana import trace_queries
from loom.deploy.artifacts.rules import recorded
from loom.deploy.plan import Plan

WINDOWS = {"$__rate_interval": "1m", "$__range": "5m"}
CHOICES = {"$service": ".*", "$environment": ".*"}
Asked = tuple[Board, Panel, Target]


class Prometheus(Protocol):
    """What the fixture offers."""

    def get(self, path: str, **parameters: object) -> Any: ...  # noqa: ANN401 - depends on the path

    def draw(self, query: str, era: str) -> list[dict[str, Any]]: ...

    def ask(self, query: str, era: str) -> list[dict[str, Any]]: ...


def _asked(plan: Plan) -> Iterator[Asked]:
    for board in boards(plan):
        for panel in board.panels():
            for target in panel.targets:
                yield board, panel, target


def _filled(text: str) -> str:
    """The query as Grafana sends it."""
    for variable, value in (WINDOWS | CHOICES).items():
        text = text.replace(variable, value)
    assert "$" not in text
    return text


def _known(plan: Plan) -> dict[str, Series]:
    ours = [series for metric in metrics.ALL for series in plan.naming.all_series(metric)]
    return {series.name: series for series in (*ours, *foreign.ALL, *canary.ALL, *recorded(plan))}


def _nodes(node: object) -> Iterator[Any]:
    yield node
    for name in ("lhs", "rhs", "expr", "args", "vector_selector"):
        inner = getattr(node, name, None) or ()
        for child in inner if isinstance(inner, (list, tuple)) else (inner,):
            yield from _nodes(child)


def _selectors(query: str) -> Iterator[Any]:
    for node in _nodes(promql_parser.parse(query)):
        if isinstance(node, promql_parser.VectorSelector):
            yield node


def test_a_query_parses_and_names_only_series_and_labels_that_exist(plan: Plan) -> None:
    known = _known(plan)
    queries = [target.expression.text for _, _, target in _asked(plan)]
    queries += [variable.series.text for variable in variables(plan)]
    queries += [query.replace("$__tags", "") for _, query in trace_queries(plan)]
    for query in queries:
        selectors = list(_selectors(_filled(query)))
        assert selectors, query
        for selector in selectors:
            labels = {matcher.name for matcher in selector.matchers.matchers}
            assert labels <= set(known[selector.name].labels), query


def test_a_legend_names_only_labels_that_the_query_leaves(plan: Plan) -> None:
    for board, panel, target in _asked(plan):
        labels = {part.split("}}")[0] for part in target.legend.split("{{")[1:]}
        assert labels <= target.expression.labels, (board.name, panel.text.title)


def test_a_query_is_aggregated(plan: Plan) -> None:
    for board, panel, target in _asked(plan):
        aggregates = [
            node
            for node in _nodes(promql_parser.parse(_filled(target.expression.text)))
            if isinstance(node, promql_parser.AggregateExpr)
        ]
        assert aggregates, (board.name, panel.text.title)
        assert "instance" not in target.expression.labels, (board.name, panel.text.title)


def test_a_counter_is_never_drawn_as_a_lifetime_total(plan: Plan) -> None:
    counters = {
        series.name
        for metric in metrics.ALL
        if metric.kind.prometheus_type != "gauge"
        for series in plan.naming.all_series(metric)
    }
    for board, panel, target in _asked(plan):
        tree = promql_parser.parse(_filled(target.expression.text))
        inside = [
            str(node.vector_selector)
            for node in _nodes(tree)
            if isinstance(node, promql_parser.MatrixSelector)
        ]
        for selector in _selectors(_filled(target.expression.text)):
            if selector.name in counters:
                assert str(selector) in inside, (board.name, panel.text.title)


@pytest.mark.smoke
@pytest.mark.parametrize("era", ["empty", "idle", "busy"])
def test_no_query_fails_or_shows_nan(plan: Plan, prometheus: Prometheus, era: str) -> None:
    for board, panel, target in _asked(plan):
        query = _filled(target.expression.text)
        drawn = [] if target.instant else prometheus.draw(query, era)
        values = [value for series in drawn for _, value in series["values"]]
        values += [series["value"][1] for series in prometheus.ask(query, era)]
        assert not {"NaN", "+Inf", "-Inf"} & set(values), (board.name, panel.text.title, query)


@pytest.mark.smoke
def test_an_idle_histogram_does_yield_nan_to_who_asks_carelessly(plan: Plan, prometheus: Prometheus) -> None:
    buckets = plan.naming.series(metrics.event_bus.PUBLISH_LATENCY, Part.BUCKET)
    careless = f"histogram_quantile(0.99, sum by (le) (rate({buckets.name}[1m])))"
    assert [series["value"][1] for series in prometheus.ask(careless, "idle")] == ["NaN"]


@pytest.mark.smoke
def test_every_query_has_data_when_there_is_traffic(plan: Plan, prometheus: Prometheus) -> None:
    for board, panel, target in _asked(plan):
        query = _filled(target.expression.text)
        assert prometheus.ask(query, "busy"), (board.name, panel.text.title, query)
        if not target.instant:
            assert prometheus.draw(query, "busy"), (board.name, panel.text.title, query)


@pytest.mark.smoke
def test_without_traffic_a_share_and_a_latency_are_empty_and_a_loss_is_zero(
    plan: Plan, prometheus: Prometheus
) -> None:
    overview = boards(plan)[0]
    first = {panel.text.title: _filled(panel.targets[0].expression.text) for panel in overview.rows[0].panels}
    for title in ("Success", "p99 invoke"):
        assert prometheus.ask(first[title], "idle") == []
    for title in ("Events dropped", "Spans lost"):
        for era in ("empty", "idle"):
            assert [series["value"][1] for series in prometheus.ask(first[title], era)] == ["0"]


@pytest.mark.smoke
def test_a_variable_offers_the_services_and_environments_that_report(
    plan: Plan, prometheus: Prometheus
) -> None:
    offered = {
        variable.name: prometheus.get(
            f"label/{variable.values}/values", **{"match[]": _filled(variable.series.text)}
        )
        for variable in variables(plan)
    }
    assert offered == {"environment": ["production"], "service": ["loom-core"]}


@pytest.mark.smoke
def test_a_span_links_to_metrics_of_its_own_process(plan: Plan, prometheus: Prometheus) -> None:
    tags = 'job="loom-core",instance="one",deployment_environment_name="production"'
    for name, query in trace_queries(plan):
        assert prometheus.ask(query.replace("$__tags", tags), "busy"), name


def test_a_heat_map_gets_its_buckets(plan: Plan) -> None:
    maps = [(panel, target) for _, panel, target in _asked(plan) if panel.view is View.HEATMAP]
    assert len(maps) >= 2
    for _, target in maps:
        assert target.expression.labels == {"le"}


@pytest.mark.smoke
def test_every_query_of_the_metrics_reference_has_data_and_shows_no_nan(
    plan: Plan, prometheus: Prometheus
) -> None:
    asked = [example for metric in metrics.ALL for example in reference.examples(plan, metric)]
    for example in (*asked, *reference.first(plan)):
        for era in ("empty", "idle", "busy"):
            answer = prometheus.ask(example.query.text, era)
            assert not {"NaN", "+Inf", "-Inf"} & {series["value"][1] for series in answer}, example.query
            assert answer or era != "busy", example.query
