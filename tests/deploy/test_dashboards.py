"""Grafana's dashboards, as far as can be seen without Grafana."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.dashboards.catalogue import FOLDER, texts
from tests.deploy.known_series import known_series
from tests.deploy.promql import read
from tests.deploy.promtool import promtool

Json = dict[str, Any]

TEXTS = texts()
BOARDS: dict[str, Json] = {name: json.loads(text) for name, text in TEXTS.items()}
COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
FROM_GRAFANA = {"__all", "__rate_interval", "__value", "__data", "__url_time_range"}


def panels(board: Json) -> list[Json]:
    """All but headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: Json) -> Iterator[tuple[str, str, str]]:
    """Of each panel: its title, an expression, and what its series are called."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target.get("legendFormat", "")


def variables(board: Json) -> list[Json]:
    found: list[Json] = board["templating"]["list"]
    return found


every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def test_the_files_are_what_the_code_makes() -> None:
    kept = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert kept == TEXTS, "`python -m deploy.grafana.dashboards` writes them anew"


def test_the_code_makes_the_same_each_time() -> None:
    assert texts() == TEXTS


def test_each_dashboard_has_an_address_and_a_title_of_its_own() -> None:
    for key in ("uid", "title"):
        assert len({board[key] for board in BOARDS.values()}) == len(BOARDS)


@every_board
def test_panels_say_what_they_show_and_in_what_unit(board: Json) -> None:
    titles = [panel["title"] for panel in board["panels"]]
    assert all(titles)
    for panel in panels(board):
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        if panel["type"] == "table":
            assert_columns_have_units(panel)


def assert_columns_have_units(panel: Json) -> None:
    organize = next(step for step in panel["transformations"] if step["id"] == "organize")
    named = {
        override["matcher"]["options"]: {each["id"] for each in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }
    columns = list(organize["options"]["renameByName"].values())
    assert len(columns) == len(set(columns)), panel["title"]
    for column in columns:
        assert "unit" in named[column], (panel["title"], column)
    assert panel["options"]["sortBy"][0]["displayName"] in columns


@every_board
def test_tables_have_a_column_for_each_label_and_query(board: Json) -> None:
    for panel in (panel for panel in panels(board) if panel["type"] == "table"):
        organize = next(step for step in panel["transformations"] if step["id"] == "organize")
        fields = set(organize["options"]["renameByName"])
        refs = [target["refId"] for target in panel["targets"]]
        values = {"Value"} if len(refs) == 1 else {f"Value #{ref}" for ref in refs}
        assert values <= fields, panel["title"]
        for target in panel["targets"]:
            assert fields - values <= read(target["expr"]).grouped_by, (panel["title"], target)


@every_board
def test_panels_have_numbers_of_their_own_and_places_that_fill_the_grid(board: Json) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [panel["gridPos"] for panel in board["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    area = sum(place["w"] * place["h"] for place in places)
    assert area == COLUMNS * max(place["y"] + place["h"] for place in places)


@every_board
def test_everything_is_asked_of_the_prometheus_that_is_chosen(board: Json) -> None:
    (chooser,) = (each for each in variables(board) if each["type"] == "datasource")
    assert (chooser["name"], chooser["query"]) == ("datasource", "prometheus")
    sources = [each["datasource"] for each in variables(board) if each["type"] == "query"]
    for panel in panels(board):
        sources += [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert all(source == SOURCE for source in sources)
    refs = [[target["refId"] for target in panel["targets"]] for panel in panels(board)]
    assert all(each and len(set(each)) == len(each) for each in refs)


@every_board
def test_variables_that_are_used_are_there_and_the_other_way_round(board: Json) -> None:
    there = {each["name"] for each in variables(board)}
    text = json.dumps(board)
    used = {name for pair in re.findall(r"\$(?:\{(\w+)|(\w+))", text) for name in pair if name}
    assert used - FROM_GRAFANA == there


@every_board
def test_links_lead_to_dashboards_and_variables_that_there_are(board: Json) -> None:
    boards = {
        other["uid"]: {each["name"] for each in variables(other)} for other in BOARDS.values()
    }
    for uid, query in re.findall(r'"url": "/d/([\w-]+)\?([^"]*)"', json.dumps(board)):
        assert set(re.findall(r"var-(\w+)", query)) <= boards[uid]
    assert [link["tags"] for link in board["links"]] == [board["tags"]]


@every_board
def test_queries_read_series_and_labels_that_there_are(board: Json) -> None:
    for title, expr, legend in queries(board):
        reading, known = read(expr), known_series()
        assert reading.selectors, title
        for selector in reading.selectors:
            assert selector.name in known, title
            assert selector.labels <= known[selector.name], (title, selector)
        labels = set().union(*(known[selector.name] for selector in reading.selectors))
        assert reading.grouped_by <= labels | {"le"}, title
        assert set(re.findall(r"{{(\w+)}}", legend)) <= reading.grouped_by | reading.made, title


@every_board
def test_choices_are_labels_that_there_are(board: Json) -> None:
    for variable in (each for each in variables(board) if each["type"] == "query"):
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
        assert found, variable
        for selector in read(found[1]).selectors:
            assert {found[2], *selector.labels} <= known_series()[selector.name], variable


@pytest.mark.parametrize("name", ["overview.json", "public-ips.json", "resources.json"])
def test_what_is_counted_is_none_where_there_is_nothing_to_count(name: str) -> None:
    for panel in panels(BOARDS[name]):
        if panel["type"] == "stat" and panel["fieldConfig"]["defaults"]["unit"] == "short":
            assert panel["targets"][0]["expr"].endswith(" or vector(0)"), panel["title"]


def test_promtool_takes_the_queries(tmp_path: Path) -> None:
    exprs = [
        expr.replace("$__rate_interval", "5m")
        for board in BOARDS.values()
        for _, expr, _ in queries(board)
    ]
    assert exprs
    records = [{"record": f"query:{n}", "expr": expr} for n, expr in enumerate(exprs)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": records}]}))
    promtool("check", "rules", str(file))
