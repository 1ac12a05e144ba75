"""The kinds of panels there are, each made the same way wherever it is used."""

from collections.abc import Iterable, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, piechart, stat, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import piechart as pie_models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from deploy.grafana.dashboards.style import COLOURS, PLAIN, Steps, by_name, by_threshold, fixed
from deploy.grafana.dashboards.style import thresholds as thresholds_of
from deploy.grafana.dashboards.variables import SOURCE

_LAST = ["lastNotNull"]


class Text(NamedTuple):
    """What a panel says of itself."""

    title: str
    description: str


class Line(NamedTuple):
    """A query, and what its series are called."""

    expr: str
    legend: str


class Size(NamedTuple):
    """Of 24 columns; a row is 30 pixels."""

    span: int
    height: int = 8


def number(
    text: Text, expr: str, unit: str, *, steps: Steps = PLAIN, span: int = 3
) -> Builder[models.Panel]:
    """One figure in large letters, and how it went."""
    return (
        stat.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .span(span)
        .height(4)
        .with_target(_range(Line(expr, ""), "A"))
        .unit(unit)
        .thresholds(thresholds_of(steps))
        .color_scheme(by_threshold())
        .no_value("-")
        .reduce_options(common.ReduceDataOptions().calcs(_LAST))
        .color_mode(common_models.BigValueColorMode.VALUE)
        .graph_mode(common_models.BigValueGraphMode.AREA)
    )


def lights(text: Text, line: Line, size: Size, *, on: str, off: str) -> Builder[models.Panel]:
    """For each series whether it is 1 (on) or 0 (off), in green and red."""
    words = {"1": (on, "green"), "0": (off, "red")}
    return (
        stat.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .span(size.span)
        .height(size.height)
        .with_target(_instant(line, "A"))
        .unit("none")
        .mappings(
            [
                models.ValueMap(
                    options={
                        value: models.ValueMappingResult(text=word, color=color)
                        for value, (word, color) in words.items()
                    }
                )
            ]
        )
        .reduce_options(common.ReduceDataOptions().calcs(_LAST))
        .color_mode(common_models.BigValueColorMode.BACKGROUND)
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .text_mode(common_models.BigValueTextMode.VALUE_AND_NAME)
    )


def trend(
    text: Text, lines: Sequence[Line], unit: str, size: Size, *, known: Iterable[str] = ()
) -> timeseries.Panel:
    """Lines over time. ``known`` are names of series that have a colour of their own."""
    panel = (
        timeseries.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .span(size.span)
        .height(size.height)
        .unit(unit)
        .min(0)
        .color_scheme(by_name())
        .line_width(2)
        .fill_opacity(8)
        .gradient_mode(common_models.GraphGradientMode.OPACITY)
        .show_points(common_models.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.TABLE)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([*_LAST, "max"])
            .sort_by("Last *")
            .sort_desc(True)
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
    )
    for line, ref in zip(lines, ascii_uppercase, strict=False):
        panel.with_target(_range(line, ref))
    for name in known:
        panel.override_by_name(name, [fixed(COLOURS[name])])
    return panel


def layers(
    text: Text, lines: Sequence[Line], unit: str, size: Size, *, known: Iterable[str] = ()
) -> timeseries.Panel:
    """Parts of a whole over time, one on top of the other."""
    return (
        trend(text, lines, unit, size, known=known)
        .stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
        .line_width(1)
        .fill_opacity(35)
        .gradient_mode(common_models.GraphGradientMode.NONE)
    )


def usage_trend(text: Text, lines: Sequence[Line], size: Size, steps: Steps) -> timeseries.Panel:
    """Parts of 1 over time, with a dashed line where each step begins."""
    return (
        trend(text, lines, "percentunit", size)
        .max(1)
        .thresholds(thresholds_of(steps))
        .thresholds_style(
            common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
        )
    )


def ranking(
    text: Text, lines: Sequence[Line], unit: str, size: Size, *, steps: Steps = PLAIN
) -> bargauge.Panel:
    """One bar for each series, in the order of the queries."""
    panel = (
        bargauge.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .span(size.span)
        .height(size.height)
        .unit(unit)
        .min(0)
        .thresholds(thresholds_of(steps))
        .color_scheme(by_threshold())
        .no_value("-")
        .reduce_options(common.ReduceDataOptions().calcs(_LAST))
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .display_mode(common_models.BarGaugeDisplayMode.GRADIENT)
        .value_mode(common_models.BarGaugeValueMode.COLOR)
        .name_placement(common_models.BarGaugeNamePlacement.LEFT)
        .show_unfilled(True)
    )
    for line, ref in zip(lines, ascii_uppercase, strict=False):
        panel.with_target(_instant(line, ref))
    return panel


def usage_ranking(text: Text, line: Line, size: Size, steps: Steps) -> Builder[models.Panel]:
    """Bars that are parts of 1."""
    return ranking(text, [line], "percentunit", size, steps=steps).max(1)


def shares(
    text: Text, line: Line, unit: str, size: Size, *, known: Iterable[str] = ()
) -> Builder[models.Panel]:
    """A ring whose parts are the series."""
    panel = (
        piechart.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .span(size.span)
        .height(size.height)
        .with_target(_instant(line, "A"))
        .unit(unit)
        .color_scheme(by_name())
        .no_value("-")
        .pie_type(pie_models.PieChartType.DONUT)
        .reduce_options(common.ReduceDataOptions().calcs(_LAST))
        .legend(
            piechart.PieChartLegendOptions()
            .display_mode(common_models.LegendDisplayMode.TABLE)
            .placement(common_models.LegendPlacement.RIGHT)
            .show_legend(True)
            .values(
                [pie_models.PieChartLegendValues.VALUE, pie_models.PieChartLegendValues.PERCENT]
            )
        )
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    )
    for name in known:
        panel.override_by_name(name, [fixed(COLOURS[name])])
    return panel


def rows(expr: str, ref: str) -> Dataquery:
    """The newest value of each series as rows of a table."""
    return _instant(Line(expr, ""), ref).format(PromQueryFormat.TABLE)


def _instant(line: Line, ref: str) -> Dataquery:
    return _query(line, ref).instant()


def _range(line: Line, ref: str) -> Dataquery:
    return _query(line, ref).range()


def _query(line: Line, ref: str) -> Dataquery:
    query = (
        Dataquery().datasource(SOURCE).expr(line.expr).ref_id(ref).editor_mode(QueryEditorMode.CODE)
    )
    return query.legend_format(line.legend) if line.legend else query
