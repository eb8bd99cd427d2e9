"""A dashboard as classic JSON, the only format that file provisioning takes: the bare object, not wrapped."""

import json

from pydantic_core import to_json

from loom.deploy.artifacts.dashboards import visual
from loom.deploy.artifacts.dashboards.catalogue import variables
from loom.deploy.artifacts.dashboards.layout import Place, lay_out
from loom.deploy.artifacts.dashboards.links import search
from loom.deploy.artifacts.dashboards.model import Board, Panel, Target, Variable, View
from loom.deploy.artifacts.dashboards.sdk import JSONEncoder, common, dashboard, prometheus
from loom.deploy.artifacts.grafana import PROMETHEUS_UID
from loom.deploy.plan.model import Plan

TAG = "loom"
"""By which the dashboards find each other."""


def encode(board: Board, plan: Plan) -> str:
    """The dashboard as JSON text."""
    return write(build(board, plan))


def write(model: dashboard.Dashboard) -> str:
    """An SDK model as JSON text; links stay in sight, which the SDK always moves into the controls menu."""
    document = json.loads(json.dumps(model, cls=JSONEncoder), object_hook=_visible)
    # Not json.dumps, which indents in Python: four times slower.
    return to_json(document, indent=2).decode() + "\n"


def build(board: Board, plan: Plan) -> dashboard.Dashboard:
    """The dashboard in the SDK's model."""
    return dashboard.Dashboard(
        uid=board.name,
        title=board.title,
        description=board.description,
        tags=[TAG],
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime("now-1h", "now"),
        refresh="30s",
        templating=dashboard.DashboardDashboardTemplating([_variable(one) for one in variables(plan)]),
        panels=[_placed(one.id, one.place, one.content) for one in lay_out(board.rows)],
        annotations=dashboard.AnnotationContainer([]),
        links=_links(),
    )


def _visible(node: dict[str, object]) -> dict[str, object]:
    # A legend has a placement too; it keeps its own.
    if node.get("placement") == dashboard.DashboardLinkPlacement.IN_CONTROLS_MENU:
        del node["placement"]
    return dict(sorted(node.items()))


def _links() -> list[dashboard.DashboardLink]:
    return [
        dashboard.DashboardLink(
            title="Loom dashboards",
            type_val=dashboard.DashboardLinkType.DASHBOARDS,
            icon="external link",
            tooltip="Overview and one dashboard for each component",
            tags=[TAG],
            as_dropdown=True,
            include_vars=True,
            keep_time=True,
        ),
        dashboard.DashboardLink(title="Traces", icon="bolt", tooltip="Search Jaeger", url=search()),
    ]


def _variable(variable: Variable) -> dashboard.VariableModel:
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=variable.name,
        label=variable.label,
        datasource=_prometheus(),
        # 1: label values; Grafana's query editor opens on it.
        query={
            "qryType": 1,
            "query": variable.query,
            "refId": f"PrometheusVariableQueryEditor-{variable.name}",
        },
        current=everything,
        multi=True,
        include_all=True,
        # Not the list of all values: a new service shows at once, and the query stays short.
        all_value=".*",
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
    )


def _placed(identity: int, place: Place, content: Panel | str) -> dashboard.Panel | dashboard.RowPanel:
    grid = dashboard.GridPos(h=place.height, w=place.width, x=place.x, y=place.y)
    if isinstance(content, str):
        return dashboard.RowPanel(title=content, grid_pos=grid, id_val=identity)
    return dashboard.Panel(
        type_val=content.view,
        id_val=identity,
        title=content.text.title,
        description=content.text.description,
        datasource=_prometheus(),
        targets=[_target(content, number, target) for number, target in enumerate(content.targets)],
        grid_pos=grid,
        options=visual.options(content),
        field_config=visual.fields(content),
    )


def _target(panel: Panel, number: int, target: Target) -> prometheus.Dataquery:
    cells = prometheus.PromQueryFormat.HEATMAP
    return prometheus.Dataquery(
        ref_id=chr(ord("A") + number),
        datasource=_prometheus(),
        editor_mode=prometheus.QueryEditorMode.CODE,
        expr=target.expression.text,
        legend_format=target.legend,
        format_val=cells if panel.view is View.HEATMAP else prometheus.PromQueryFormat.TIME_SERIES,
        instant=target.instant,
        range_val=not target.instant,
        exemplar=target.exemplars,
    )


def _prometheus() -> common.DataSourceRef:
    return common.DataSourceRef("prometheus", PROMETHEUS_UID)
