"""How each view of a panel looks: options and field settings, in the SDK's models."""

from collections.abc import Callable

from loom.deploy.artifacts.dashboards.limits import FINE
from loom.deploy.artifacts.dashboards.links import search
from loom.deploy.artifacts.dashboards.model import Panel, Unit, View
from loom.deploy.artifacts.dashboards.sdk import bargauge, common, dashboard, heatmap, stat, timeseries


def options(panel: Panel) -> object:
    """The options of the panel's view."""
    return _OPTIONS[panel.view](panel)


def fields(panel: Panel) -> dashboard.FieldConfigSource:
    """Unit, thresholds, colours, links and the words for no result."""
    defaults = dashboard.FieldConfig(
        unit=panel.unit,
        decimals=2 if panel.unit is Unit.RATIO else None,
        min_val=0,
        no_value=panel.empty,
        color=dashboard.FieldColor(mode=_color(panel)),
        thresholds=_thresholds(panel),
        links=_links(panel),
        custom=_CUSTOM[panel.view](panel) if panel.view in _CUSTOM else None,
    )
    return dashboard.FieldConfigSource(defaults, [_override(name, color) for name, color in panel.colors])


def _lines(panel: Panel) -> timeseries.Options:
    del panel
    return timeseries.Options(
        legend=common.VizLegendOptions(
            display_mode=common.LegendDisplayMode.LIST,
            placement=common.LegendPlacement.BOTTOM,
            show_legend=True,
            calcs=["max"],
        ),
        tooltip=common.VizTooltipOptions(
            mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING
        ),
    )


def _stat(panel: Panel) -> stat.Options:
    named = common.BigValueTextMode.VALUE_AND_NAME
    return stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND if panel.steps else common.BigValueColorMode.VALUE,
        text_mode=named if panel.shows_names else common.BigValueTextMode.VALUE,
        reduce_options=_last(),
    )


def _bars(panel: Panel) -> bargauge.Options:
    del panel
    return bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        orientation=common.VizOrientation.HORIZONTAL,
        reduce_options=_last(),
    )


def _heatmap(panel: Panel) -> heatmap.Options:
    return heatmap.Options(
        calculate=False,
        y_axis=heatmap.YAxisConfig(unit=panel.unit),
        cell_values=heatmap.CellValues(unit=Unit.COUNT, decimals=0),
        tooltip=heatmap.HeatmapTooltip(mode=common.TooltipDisplayMode.SINGLE, y_histogram=True),
    )


_OPTIONS: dict[View, Callable[[Panel], object]] = {
    View.LINES: _lines,
    View.STAT: _stat,
    View.BARS: _bars,
    View.HEATMAP: _heatmap,
}


def _graph(panel: Panel) -> timeseries.FieldConfig:
    mode = common.GraphThresholdsStyleMode.DASHED if panel.steps else common.GraphThresholdsStyleMode.OFF
    return timeseries.FieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=10,
        show_points=common.VisibilityMode.AUTO,
        thresholds_style=common.GraphThresholdsStyleConfig(mode),
    )


def _cells(panel: Panel) -> heatmap.FieldConfig:
    del panel
    return heatmap.FieldConfig(
        scale_distribution=common.ScaleDistributionConfig(common.ScaleDistribution.LINEAR)
    )


_CUSTOM: dict[View, Callable[[Panel], object]] = {View.LINES: _graph, View.HEATMAP: _cells}


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions(values=False, calcs=["lastNotNull"])


def _color(panel: Panel) -> dashboard.FieldColorModeId:
    if panel.view is View.LINES or not panel.steps:
        return dashboard.FieldColorModeId.PALETTE_CLASSIC
    return dashboard.FieldColorModeId.THRESHOLDS


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    # Without any, Grafana puts in a red one at 80.
    steps = [dashboard.Threshold(None, FINE)]
    steps += [dashboard.Threshold(step.value, step.color) for step in panel.steps]
    return dashboard.ThresholdsConfig(dashboard.ThresholdsMode.ABSOLUTE, steps)


def _links(panel: Panel) -> list[dashboard.DashboardLink] | None:
    if panel.traces is None:
        return None
    return [dashboard.DashboardLink(title=f"Traces with {panel.traces.name}", url=search(panel.traces))]


def _override(name: str, color: str) -> dashboard.DashboardFieldConfigSourceOverrides:
    fixed = dashboard.FieldColor(dashboard.FieldColorModeId.FIXED, color)
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig("byName", name),
        properties=[dashboard.DynamicConfigValue("color", fixed.to_json())],
    )
