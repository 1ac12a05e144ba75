"""Charts: well-formed, with everything inside, whatever the figures and the names (MON-7)."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.console.drawings import Part, Series, line_chart, stacked_bar, time_ticks

END = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SPANS = [timedelta(hours=1), timedelta(hours=3), timedelta(days=1), timedelta(days=30)]
EVIL = '<script>alert("1")</script>'

# What a page can be told: XML has no control characters, whoever's they are.
names = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=20)
values = st.floats(min_value=0, max_value=1e12)


@st.composite
def lines(draw: st.DrawFn) -> tuple[list[Series], datetime]:
    start = END - draw(st.sampled_from(SPANS))
    minutes = st.integers(0, int((END - start).total_seconds()) // 60)
    points = st.dictionaries(minutes, values, max_size=20)
    return [
        Series(
            draw(names),
            [(start + timedelta(minutes=at), value) for at, value in sorted(some.items())],
        )
        for some in draw(st.lists(points, max_size=6))
    ], start


@given(drawn=lines(), title=names, unit=st.sampled_from(["", "%"]))
def test_lines_stay_inside_their_chart(
    drawn: tuple[list[Series], datetime], title: str, unit: str
) -> None:
    series, start = drawn
    chart = ET.fromstring(line_chart(title, series, start, END, unit=unit))
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    for line in chart.findall("polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
        assert points == sorted(points, key=lambda point: point[0])
    for dot in chart.findall("circle"):
        assert 0 <= float(dot.attrib["cx"]) <= width
        assert 0 <= float(dot.attrib["cy"]) <= height
    shown = {one.attrib["class"].split()[-1] for one in chart if one.tag in ("polyline", "circle")}
    assert shown >= {f"line-{number}" for number, one in enumerate(series, 1) if one.points}


@given(
    parts=st.lists(st.builds(Part, names, st.integers(0, 10**9), st.just("good")), max_size=6),
    title=names,
)
def test_parts_fill_their_bar_and_no_more(parts: list[Part], title: str) -> None:
    bar = ET.fromstring(stacked_bar(title, parts))
    drawn = [one for one in bar.findall("rect") if one.attrib["class"] == "part-good"]
    assert len(drawn) == sum(part.count > 0 for part in parts), "what is there at all is seen"
    starts = [float(one.attrib["x"]) for one in drawn]
    assert starts == sorted(starts)
    assert all(0 <= start <= 100 for start in starts)


def test_names_are_text() -> None:
    chart = line_chart(EVIL, [Series(EVIL, [(END, 1.0)])], END - timedelta(hours=1), END)
    bar = stacked_bar(EVIL, [Part(EVIL, 1, "good")])
    for drawing in (chart, bar):
        assert "<script" not in drawing
        assert EVIL in ET.fromstring(drawing).attrib["aria-label"]


@pytest.mark.parametrize("span", SPANS)
def test_times_are_few_and_round(span: timedelta) -> None:
    ticks = time_ticks(END - span, END)
    assert 2 <= len(ticks) <= 7
    assert all(END - span <= tick <= END for tick, _ in ticks)
    assert all(tick.second == 0 and tick.minute % 10 == 0 for tick, _ in ticks)


def test_no_figures_are_said_to_be_none() -> None:
    drawing = line_chart("Overlaps", [Series("a", [])], END - timedelta(hours=1), END)
    assert ET.fromstring(drawing).attrib["aria-label"] == "Overlaps; no data"


def test_what_is_missing_is_not_drawn_over() -> None:
    """Two points an hour apart, of a line that has one each minute, aren't joined."""
    minutes = (0, 1, 2, 40, 41, 59)
    start = END - timedelta(hours=1)
    series = Series("a", [(start + timedelta(minutes=at), 1.0) for at in minutes])
    chart = ET.fromstring(line_chart("Overlaps", [series], start, END))
    runs = [line.attrib["points"].split() for line in chart.findall("polyline")]
    assert [len(run) for run in runs] == [3, 2]
    assert len(chart.findall("circle")) == 1


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (5, ["0", "2", "4", "6", "8"]),
        (9, ["0", "3", "6", "9", "12"]),
        (100, ["0", "25", "50", "75", "100"]),
    ],
)
def test_ticks_are_whole_and_say_where_they_are(most: float, ticks: list[str]) -> None:
    chart = ET.fromstring(
        line_chart("Overlaps", [Series("a", [(END, most)])], END - timedelta(hours=1), END)
    )
    labels = [one.text for one in chart.findall("text") if one.attrib["text-anchor"] == "end"]
    assert labels == ticks
