"""Conditions of a statement: what the values of a request's context keys must be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from shared.policies.context import Context
from shared.policies.operators import OPERATORS, Expected, Operator, truth_from

_NULL = "null"
_IF_EXISTS = "ifexists"


class Quantifier(Enum):
    """How many of a key's values have to pass."""

    NONE = ""
    ANY = "ForAnyValue"
    ALL = "ForAllValues"


class Condition(Protocol):
    """Something that a request fulfils or not."""

    @property
    def keys(self) -> frozenset[str]:
        """The context keys it looks at."""

    def holds(self, context: Context) -> bool:
        """Whether a request with ``context`` fulfils it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A key's values, compared with the policy's."""

    key: str
    expected: Expected
    is_negated: bool
    quantifier: Quantifier
    if_exists: bool

    @property
    def keys(self) -> frozenset[str]:
        return self.expected.keys | {self.key}

    def holds(self, context: Context) -> bool:
        values = context.get(self.key, ())
        if not values and self.if_exists:
            return True
        matches = self.expected.within(context)
        if self.quantifier is Quantifier.NONE:
            # An absent key matches nothing, which is what a negated operator asks for.
            return any(map(matches, values)) != self.is_negated
        passed = (matches(value) != self.is_negated for value in _not_null(values))
        return any(passed) if self.quantifier is Quantifier.ANY else all(passed)


@dataclass(frozen=True, slots=True)
class NullCheck:
    """Whether a key has a value at all."""

    key: str
    expected: frozenset[bool]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset({self.key})

    def holds(self, context: Context) -> bool:
        is_null = not any(_not_null(context.get(self.key, ())))
        return is_null in self.expected


def _not_null(values: Iterable[str]) -> Iterable[str]:
    """To operators on sets, and to Null, an empty text is no value."""
    return filter(None, values)


@dataclass(frozen=True, slots=True)
class ConditionType:
    """An operator with what stands around it, as in ``ForAnyValue:StringLikeIfExists``."""

    operator: Operator | None
    """None: Null."""
    quantifier: Quantifier
    if_exists: bool

    def condition(self, key: str, values: Sequence[str], *, has_variables: bool) -> Condition:
        """That ``key`` stands to ``values`` as this type says.

        Raises:
            ValueError: the type doesn't compare such values.
        """
        name = key.lower()
        if self.operator is None:
            return NullCheck(name, frozenset(map(truth_from, values)))
        return Comparison(
            name,
            self.operator.read(values, has_variables),
            self.operator.is_negated,
            self.quantifier,
            self.if_exists,
        )


def condition_type(name: str) -> ConditionType:
    """The type of conditions that AWS calls ``name``.

    Raises:
        ValueError: there is none.
    """
    found = _TYPES.get(name.lower())
    if found is None:
        raise ValueError("no condition operator; use one such as StringEquals or Null")
    return found


def _types() -> Mapping[str, ConditionType]:
    types = {_NULL: ConditionType(None, Quantifier.NONE, if_exists=False)}
    for name, operator in OPERATORS.items():
        for quantifier in Quantifier:
            before = f"{quantifier.value}:" if quantifier.value else ""
            whole = f"{before}{name}".lower()
            types[whole] = ConditionType(operator, quantifier, if_exists=False)
            types[whole + _IF_EXISTS] = ConditionType(operator, quantifier, if_exists=True)
    return types


_TYPES = _types()
