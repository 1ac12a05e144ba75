"""Tables: a row for each thing, a column for each figure."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.dashboards.panels import Size, Text, rows
from deploy.grafana.dashboards.style import Steps
from deploy.grafana.dashboards.style import thresholds as thresholds_of
from deploy.grafana.dashboards.variables import SOURCE


class Key(NamedTuple):
    """A column that says what a row is about: a label of the series."""

    label: str
    title: str
    width: int | None = None
    link: str = ""
    """Dashboard's address that a click leads to, without what all links have."""


class Figure(NamedTuple):
    """A column with a figure: a query whose series have the keys' labels and no others."""

    title: str
    expr: str
    unit: str
    steps: Steps = ()
    """Colours, by value."""
    is_gauge: bool = False
    """Drawn as a bar from 0 to 1."""
    width: int | None = None


def figures_table(
    text: Text,
    keys: Sequence[Key],
    figures: Sequence[Figure],
    size: Size,
    *,
    order: tuple[str, bool],
) -> Builder[models.Panel]:
    """``order`` is a column's title, and whether the greatest is first."""
    panel = (
        table.Panel()
        .title(text.title)
        .description(text.description)
        .datasource(SOURCE)
        .span(size.span)
        .height(size.height)
        .filterable(True)
        .unit("none")
        .no_value("-")
        .cell_height(common_models.TableCellHeight.SM)
        .sort_by([common.TableSortByFieldState().display_name(order[0]).desc(order[1])])
    )
    refs = dict(zip((figure.title for figure in figures), ascii_uppercase, strict=False))
    for figure in figures:
        panel.with_target(rows(figure.expr, refs[figure.title]))
        panel.override_by_name(figure.title, _figure_properties(figure))
    for key in keys:
        panel.override_by_name(key.title, _key_properties(key))
    # One query's value is called plainly so; of several each has the query's letter.
    values = (
        ["Value"] if len(figures) == 1 else [f"Value #{refs[figure.title]}" for figure in figures]
    )
    fields = [*(key.label for key in keys), *values]
    titles = [*(key.title for key in keys), *(figure.title for figure in figures)]
    for transformation in _one_row_each(fields, titles):
        panel.with_transformation(transformation)
    return panel


def _one_row_each(
    fields: Sequence[str], titles: Sequence[str]
) -> tuple[models.DataTransformerConfig, ...]:
    """What the queries tell of the same thing in one row, in the order of the columns."""
    return (
        models.DataTransformerConfig(id_val="merge", options={}),
        models.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True},
                "includeByName": {},
                "indexByName": {field: place for place, field in enumerate(fields)},
                "renameByName": dict(zip(fields, titles, strict=True)),
            },
        ),
    )


def _key_properties(key: Key) -> list[models.DynamicConfigValue]:
    properties = [models.DynamicConfigValue(id_val="unit", value="string"), *_width(key.width)]
    if key.link:
        link = {
            "title": f"Show this {key.title.lower()}",
            "url": f"{key.link}=${{__value.raw}}&${{datasource:queryparam}}&${{__url_time_range}}",
        }
        properties.append(models.DynamicConfigValue(id_val="links", value=[link]))
    return properties


def _figure_properties(figure: Figure) -> list[models.DynamicConfigValue]:
    properties = [models.DynamicConfigValue(id_val="unit", value=figure.unit)]
    properties += _width(figure.width)
    if figure.steps:
        steps = thresholds_of(figure.steps).build()
        properties.append(models.DynamicConfigValue(id_val="thresholds", value=steps))
        properties.append(models.DynamicConfigValue(id_val="color", value={"mode": "thresholds"}))
    if figure.is_gauge:
        properties += [
            models.DynamicConfigValue(id_val="min", value=0),
            models.DynamicConfigValue(id_val="max", value=1),
        ]
        cell = {"type": "gauge", "mode": "gradient", "valueDisplayMode": "color"}
    elif figure.steps:
        cell = {"type": "color-text"}
    else:
        cell = {"type": "auto"}
    properties.append(models.DynamicConfigValue(id_val="custom.cellOptions", value=cell))
    return properties


def _width(width: int | None) -> list[models.DynamicConfigValue]:
    return [models.DynamicConfigValue(id_val="custom.width", value=width)] if width else []
