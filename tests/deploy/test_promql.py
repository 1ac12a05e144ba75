"""What the other tests here understand of PromQL."""

import pytest

from tests.deploy.promql import Selector, read


@pytest.mark.parametrize(
    ("expr", "series"),
    [
        ("up", [("up", [])]),
        ('a{x="1", y!~"b{2}|c"} / b', [("a", ["x", "y"]), ("b", [])]),
        ('{__name__=~"a|b", x="1"}', [("a", ["x"]), ("b", ["x"])]),
        ("sum by (x) (rate(a_total[5m])) > 0.5", [("a_total", [])]),
        ("sum(a) by (x)", [("a", [])]),
        ("topk(10, max by (x) (a:b)) and on (x) c offset 1h", [("a:b", []), ("c", [])]),
        ("time() - max(a) < 10 * 365", [("a", [])]),
        ("deriv(a[1d:5m]) > bool 0 or vector(0)", [("a", [])]),
    ],
)
def test_series_and_the_labels_they_are_chosen_by(
    expr: str, series: list[tuple[str, list[str]]]
) -> None:
    assert read(expr).selectors == [Selector(name, frozenset(labels)) for name, labels in series]


def test_labels_of_groupings_and_those_that_are_made() -> None:
    reading = read('max by (x, y) (label_replace(a, "new", "$1", "old", "(.+)")) * on (z) b')
    assert reading.grouped_by == {"x", "y", "z"}
    assert reading.made == {"new"}
