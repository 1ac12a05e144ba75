"""Metric math: time series added, divided and so on."""

import ast
import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.cloud_watch.arithmetic import parse_arithmetic
from services.metrics.cloud_watch.time_series import TimeSeries
from services.metrics.errors import ValidationError
from tests.metrics.cloud_watch.support import samples


def value(expression: str, **of: dict[int, float]) -> dict[int, float]:
    series = {name: TimeSeries(name, *samples(values)) for name, values in of.items()}
    found = parse_arithmetic(expression).value(series)
    return dict(zip(found.minutes.tolist(), found.values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", 12),
        ("m1+m2*2", 18),
        ("(m1 + m2) * 2", 30),
        ("m1 - m2 - 1", 8),
        ("m1 / m2 / 2", 2),
        ("100*m1/(m1+m2)", 80),
        ("-m2 * -2", 6),
        ("m1 - -.5", 12.5),
        ("--m1", 12),
        ("2.5 * (m2)", 7.5),
        ("1 + 2 - 3 + m1", 12),
        ("5 - m1", -7),
    ],
)
def test_operations_have_their_precedence(expression: str, expected: float) -> None:
    assert value(expression, m1={0: 12}, m2={0: 3}) == {0: expected}


def test_there_is_a_value_where_all_have_one() -> None:
    assert value("a + b", a={0: 1, 1: 2, 2: 3}, b={1: 10, 2: 20, 3: 30}) == {1: 12, 2: 23}


def test_nothing_comes_of_a_division_by_zero() -> None:
    assert value("a / b", a={0: 1, 1: 0, 2: 3}, b={0: 0, 1: 0, 2: 2}) == {2: 1.5}
    assert value("a / (1 - 1)", a={0: 1}) == {}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("", "the end"),
        ("m1 +", "the end"),
        ("m1 m2", "m2"),
        ("2m1", "m1"),
        ("* m1", "* m1"),
        ("m1 + * m2", "* m2"),
        ("(m1", "the end"),
        ("m1)", ")"),
        ("()", ")"),
        ("m1 ^ 2", "^ 2"),
        ("m1 > 5", "> 5"),
        ("m1 (m2)", "the function m1"),
        ("SEARCH('{AWS/IPAM}', 'Average')", "the function SEARCH"),
        ("100 * FILL(m1, 0)", "the function FILL"),
        ("1 + 2", "a number is no time series"),
    ],
)
def test_others_are_refused_with_what_is_wrong(expression: str, found: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_arithmetic(expression)
    assert found in refusal.value.message
    assert f"'{expression}'" in refusal.value.message


@pytest.mark.parametrize("expression", ["(" * 1000 + "m1" + ")" * 1000, "1+" * 1000 + "m1"])
def test_long_expressions_nest_nothing(expression: str) -> None:
    assert len(value(expression, m1={0: 1})) == 1


OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def reckoned(node: ast.expr) -> float:
    """As Python's own grammar reads it."""
    match node:
        case ast.BinOp(left, sign, right):
            return OPERATIONS[type(sign)](reckoned(left), reckoned(right))
        case ast.UnaryOp(ast.USub(), operand):
            return -reckoned(operand)
        case ast.Constant(float() | int() as number):
            return number
    return {"a": 3.0, "b": 7.0}[ast.unparse(node)]


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "2", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_it_is_read_as_arithmetic_is_everywhere(expression: str) -> None:
    expression = f"a * 0 + {expression}"
    tree = ast.parse(expression, mode="eval")
    found = value(expression, a={0: 3.0}, b={0: 7.0})
    assert found == {0: pytest.approx(reckoned(tree.body))}
