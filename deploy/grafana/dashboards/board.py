"""What all dashboards share: their head, the links between them, and their JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders.dashboard import Dashboard as DashboardBuilder
from grafana_foundation_sdk.builders.dashboard import DashboardLink as LinkBuilder
from grafana_foundation_sdk.builders.dashboard import Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableModel,
)

TAG = "cadastre"

Panels = Sequence[Builder[Panel]]


class Section(NamedTuple):
    """Panels under a heading: they fill lines of 24 columns, and a line is of one height."""

    title: str
    panels: Panels


class Head(NamedTuple):
    """What a dashboard is."""

    uid: str
    title: str
    description: str
    time_from: str = "now-24h"


def board(
    head: Head, variables: Iterable[Builder[VariableModel]], sections: Iterable[Section]
) -> Dashboard:
    """A dashboard. Each panel has a number, its place among the panels."""
    builder = (
        DashboardBuilder(head.title)
        .uid(head.uid)
        .description(head.description)
        .tags([TAG])
        .timezone("browser")
        .time(head.time_from, "now")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables(list(variables))
        .link(_other_dashboards())
    )
    for section in sections:
        builder.with_row(Row(section.title))
        for panel in section.panels:
            builder.with_panel(panel)
    made = builder.build()
    for number, each in enumerate(made.panels or (), start=1):
        each.id_val = number
    return made


def as_json(dashboard: Dashboard) -> str:
    """As Grafana reads it."""
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _other_dashboards() -> LinkBuilder:
    """One link for each dashboard of ours; what is chosen in this one is chosen in that one."""
    return (
        LinkBuilder("Cadastre")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(True)
        .include_vars(True)
    )
