"""The JSON that Grafana reads: shape, grid, links; each defect of the original dashboard has its test."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from loom.contract import metrics, scopes
from loom.deploy.artifacts import dashboards
from loom.deploy.artifacts.dashboards import boards, limits
from loom.deploy.artifacts.dashboards.catalogue import variables
from loom.deploy.artifacts.dashboards.classic import write
from loom.deploy.artifacts.dashboards.sdk import dashboard as sdk
from loom.deploy.artifacts.grafana import FOLDER, PROMETHEUS_UID
from loom.deploy.artifacts.model import Check
from loom.deploy.plan import Plan

Documents = dict[str, dict[str, Any]]
PROMETHEUS = {"type": "prometheus", "uid": PROMETHEUS_UID}
REMOVED_FROM_GRAFANA = {"graph", "singlestat", "table-old", "grafana-piechart-panel"}


def _panels(documents: Documents) -> Iterator[dict[str, Any]]:
    for document in documents.values():
        yield from (panel for panel in document["panels"] if panel["type"] != "row")


def test_there_is_an_overview_and_a_dashboard_for_each_component(documents: Documents) -> None:
    assert list(documents) == [
        "loom-overview",
        "loom-event-bus",
        "loom-action-broker",
        "loom-router",
        "loom-agents",
        "loom-mcp",
        "loom-tools",
        "loom-objectives",
        "loom-pipeline",
    ]


def test_a_dashboard_is_a_bare_object_since_provisioning_refuses_a_wrapped_one(documents: Documents) -> None:
    for document in documents.values():
        assert "dashboard" not in document
        assert document["title"]
        assert document["schemaVersion"] == 42
        assert document["time"] == {"from": "now-1h", "to": "now"}
        assert document["refresh"]


def test_a_uid_is_the_name_of_the_file_and_no_id_is_given(plan: Plan, documents: Documents) -> None:
    for artifact, (uid, document) in zip(dashboards.artifacts(plan), documents.items(), strict=True):
        assert artifact.path == f"grafana/dashboards/{uid}.json"
        assert artifact.check is Check.DASHBOARD
        assert 8 <= len(uid) <= 40
        assert document.get("id") is None


def test_no_dashboard_is_titled_like_another_or_like_its_folder(documents: Documents) -> None:
    titles = [document["title"] for document in documents.values()]
    assert len({*titles, FOLDER}) == len(titles) + 1


def test_the_sdk_reads_its_own_dashboard_back(plan: Plan) -> None:
    for artifact in dashboards.artifacts(plan):
        assert write(sdk.Dashboard.from_json(json.loads(artifact.text))) == artifact.text


def test_rendering_twice_yields_the_same_bytes(plan: Plan) -> None:
    assert dashboards.artifacts(plan) == dashboards.artifacts(plan)


def test_a_panel_says_what_it_shows_in_which_unit_from_where_and_what_silence_means(
    documents: Documents,
) -> None:
    for panel in _panels(documents):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert defaults["unit"]
        assert defaults["noValue"]
        assert panel["datasource"] == PROMETHEUS
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == PROMETHEUS
            assert target["legendFormat"]
            assert target["legendFormat"] != "__auto"


def test_a_panel_is_of_a_kind_that_grafana_still_has(documents: Documents) -> None:
    kinds = {panel["type"] for panel in _panels(documents)}
    assert kinds == {"timeseries", "stat", "bargauge", "heatmap"}
    assert not kinds & REMOVED_FROM_GRAFANA


def test_two_queries_of_a_panel_have_two_legends_and_two_letters(documents: Documents) -> None:
    for panel in _panels(documents):
        for key in ("legendFormat", "refId"):
            values = [target[key] for target in panel["targets"]]
            assert len(set(values)) == len(values), panel["title"]


def test_two_panels_of_a_dashboard_have_two_titles(documents: Documents) -> None:
    for uid, document in documents.items():
        titles = [panel["title"] for panel in document["panels"]]
        assert len(set(titles)) == len(titles), uid


def test_ids_are_unique_and_panels_lie_beside_each_other_on_the_grid(documents: Documents) -> None:
    for uid, document in documents.items():
        ids = [panel["id"] for panel in document["panels"]]
        assert len(set(ids)) == len(ids), uid
        cells = [_cells(panel["gridPos"]) for panel in document["panels"]]
        assert all(not one & other for one, other in combinations(cells, 2)), uid
        assert all(0 <= x < 24 for place in cells for x, _ in place), uid


def _cells(place: dict[str, int]) -> set[tuple[int, int]]:
    across = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in across for y in range(place["y"], place["y"] + place["h"])}


def test_a_row_is_full_so_that_no_panel_stands_alone(documents: Documents) -> None:
    for uid, document in documents.items():
        widths: dict[int, int] = {}
        for panel in document["panels"]:
            place = panel["gridPos"]
            widths[place["y"]] = widths.get(place["y"], 0) + place["w"]
        assert set(widths.values()) == {24}, uid


def test_thresholds_are_always_given_and_ascend_since_grafana_turns_red_at_80_otherwise(
    documents: Documents,
) -> None:
    for panel in _panels(documents):
        first, *steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert first == {"color": "green", "value": None}
        values = [step["value"] for step in steps]
        assert values == sorted(set(values)), panel["title"]


def test_a_limit_on_a_latency_is_a_bucket_boundary() -> None:
    for metric, chosen in limits.LATENCIES.items():
        assert set(chosen) <= set(metric.boundaries), metric.name


def test_success_turns_red_below_the_objective_of_the_profile(plan: Plan, documents: Documents) -> None:
    success = next(panel for panel in _panels(documents) if panel["title"] == "Success")
    steps = success["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["color"] for step in steps] == ["green", "red", "yellow", "green"]
    assert steps[2]["value"] == plan.profile.alerting.slo.objective


def test_the_first_line_of_the_overview_answers_whether_loom_is_healthy(documents: Documents) -> None:
    row, *panels = documents["loom-overview"]["panels"]
    assert row["title"] == "Is it healthy?"
    assert [panel["title"] for panel in panels[:8]] == [
        "Success",
        "p99 invoke",
        "Events dropped",
        "Backlog",
        "Agents",
        "MCP servers",
        "Spans lost",
        "Targets up",
    ]
    # A range query would go on showing the last value of a process that died an hour ago.
    assert all(
        target["instant"] and not target["range"] for panel in panels[:8] for target in panel["targets"]
    )


def test_every_metric_of_the_contract_is_shown_by_a_panel(plan: Plan) -> None:
    shown = {
        series.name
        for board in boards(plan)
        for panel in board.panels()
        for target in panel.targets
        for series in target.expression.series
    }
    hidden = [
        metric.name
        for metric in metrics.ALL
        if not shown & {series.name for series in plan.naming.all_series(metric)}
    ]
    assert hidden == []


def test_every_component_with_metrics_has_its_dashboard(plan: Plan) -> None:
    scope_of = {
        series.name: metric.scope for metric in metrics.ALL for series in plan.naming.all_series(metric)
    }
    covered = {
        scope_of[series.name]
        for board in boards(plan)[1:]
        for panel in board.panels()
        for target in panel.targets
        for series in target.expression.series
        if series.name in scope_of
    }
    assert covered == set(scopes.ALL)


def test_loom_panels_follow_the_chosen_service_and_environment(plan: Plan, documents: Documents) -> None:
    ours = tuple(series.name for metric in metrics.ALL for series in plan.naming.all_series(metric))
    for panel in _panels(documents):
        for target in panel["targets"]:
            if any(name in target["expr"] for name in ours):
                assert 'job=~"$service"' in target["expr"]
                assert 'deployment_environment_name=~"$environment"' in target["expr"]


def test_a_variable_offers_all_and_several_values(plan: Plan, documents: Documents) -> None:
    for document in documents.values():
        offered = document["templating"]["list"]
        assert [variable["name"] for variable in offered] == [variable.name for variable in variables(plan)]
        for variable in offered:
            assert variable["multi"]
            assert variable["includeAll"]
            assert variable["allValue"] == ".*"
            assert variable["current"]["value"] == "$__all"
            assert variable["datasource"] == PROMETHEUS
            assert variable["query"]["query"].startswith("label_values(")
