"""Metric math in its simple form: ``100 * m1 / (m1 + m2)``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from services.metrics.cloud_watch.samples import Values
from services.metrics.cloud_watch.time_series import TimeSeries
from services.metrics.errors import ValidationError, excerpt

Operand = TimeSeries | float

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d*)?|\.\d+)
        | (?P<name>[A-Za-z]\w*)(?P<call>\s*\()?
        | (?P<sign>[-+*/()])
    )""",
    re.ASCII | re.VERBOSE,
)
_NEGATED = "negated"
_OPERATIONS: Mapping[str, Callable[[Values, Values], Values]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, _NEGATED: 3}


@dataclass(frozen=True, slots=True)
class Id:
    """Another query's."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """An expression with each operation after its operands, so that reckoning nests nowhere."""

    expression: str
    steps: tuple[float | Id | str, ...]

    @property
    def ids(self) -> frozenset[str]:
        """Those of the queries whose time series it takes."""
        return frozenset(step.name for step in self.steps if isinstance(step, Id))

    def value(self, of: Mapping[str, TimeSeries]) -> TimeSeries:
        """Where all that is taken has a value, and there is a result: nothing is divided by 0."""
        stack: list[Operand] = []
        for step in self.steps:
            if isinstance(step, Id):
                stack.append(of[step.name])
            elif isinstance(step, float):
                stack.append(step)
            elif step == _NEGATED:
                stack.append(_combined("-", 0.0, stack.pop()))
            else:
                right, left = stack.pop(), stack.pop()
                stack.append(_combined(step, left, right))
        result = stack.pop()
        if isinstance(result, float):
            raise TypeError(f"'{self.expression}' takes no time series")
        there = np.isfinite(result.values)
        return TimeSeries("", result.minutes[there], result.values[there])


def parse_arithmetic(expression: str) -> Arithmetic:
    """Read an expression.

    Raises:
        ValidationError: it is none, calls a function, or takes no time series.
    """
    parsed = Arithmetic(expression, tuple(_Reader(expression).steps()))
    if not parsed.ids:
        raise _refused(
            expression, "a number is no time series; take one of another query, by its id"
        )
    return parsed


class _Reader:
    """Puts operations that wait for their second operand on a stack (shunting-yard)."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._steps: list[float | Id | str] = []
        self._waiting: list[str] = []

    def steps(self) -> list[float | Id | str]:
        position, is_operand_next = 0, True
        while rest := self._expression[position:].strip():
            if (token := _TOKEN.match(self._expression, position)) is None:
                raise self._unexpected(rest)
            if token["call"]:
                raise _refused(
                    self._expression,
                    f"the function {excerpt(token['name'])} is not supported; SELECT queries and"
                    " arithmetic with + - * / and parentheses are",
                )
            is_operand = token["sign"] in (None, "(") or (token["sign"] == "-" and is_operand_next)
            if is_operand is not is_operand_next:
                raise self._unexpected(rest)
            is_operand_next = self._take(token, is_prefix=is_operand)
            position = token.end()
        if is_operand_next:
            raise self._unexpected("the end")
        while self._waiting:
            if (operation := self._waiting.pop()) == "(":
                raise self._unexpected("the end")
            self._steps.append(operation)
        return self._steps

    def _take(self, token: re.Match[str], *, is_prefix: bool) -> bool:
        """Whether an operand has to follow."""
        sign = token["sign"]
        if sign is None:
            number = token["number"]
            self._steps.append(Id(token["name"]) if number is None else float(number))
            return False
        if sign == ")":
            self._close(token)
            return False
        if sign == "(":
            self._waiting.append(sign)
        elif is_prefix:
            self._waiting.append(_NEGATED)
        else:
            self._finish(_PRECEDENCE[sign])
            self._waiting.append(sign)
        return True

    def _finish(self, precedence: int) -> None:
        while self._waiting and _PRECEDENCE.get(self._waiting[-1], 0) >= precedence:
            self._steps.append(self._waiting.pop())

    def _close(self, token: re.Match[str]) -> None:
        self._finish(1)
        if not self._waiting:
            raise self._unexpected(self._expression[token.start() :])
        self._waiting.pop()

    def _unexpected(self, found: str) -> ValidationError:
        return _refused(
            self._expression,
            "expected ids of other queries and numbers, with + - * / between them, and each"
            f" parenthesis closed; found '{excerpt(found.strip())}'",
        )


def _combined(operation: str, left: Operand, right: Operand) -> Operand:
    if isinstance(left, TimeSeries) and isinstance(right, TimeSeries):
        left, right = _where_both_are(left, right)
    # What comes of a division by zero is sorted out at the end.
    with np.errstate(all="ignore"):
        values = _OPERATIONS[operation](_values(left), _values(right))
    for operand in (left, right):
        if isinstance(operand, TimeSeries):
            return TimeSeries("", operand.minutes, values)
    return float(values)


def _where_both_are(left: TimeSeries, right: TimeSeries) -> tuple[TimeSeries, TimeSeries]:
    # Mostly that is everywhere; to find out where it is takes many times as long.
    if np.array_equal(left.minutes, right.minutes):
        return left, right
    minutes, lefts, rights = np.intersect1d(
        left.minutes, right.minutes, assume_unique=True, return_indices=True
    )
    return (
        TimeSeries("", minutes, left.values[lefts]),
        TimeSeries("", minutes, right.values[rights]),
    )


def _values(operand: Operand) -> Values:
    return operand.values if isinstance(operand, TimeSeries) else np.array(operand)


def _refused(expression: str, why: str) -> ValidationError:
    told = excerpt(expression)
    return ValidationError(f"Error in expression '{told}': {why}", expression=told)
