"""Expressions of AWS Cost Explorer: what charges have to be like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.discovery.costs.charge import Charge, Dimension


class Expression(Protocol):
    """Holds of a charge, or does not."""

    def holds(self, charge: Charge) -> bool: ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A dimension has one of these values."""

    dimension: Dimension
    values: frozenset[str]

    def holds(self, charge: Charge) -> bool:
        return charge.value_of(self.dimension) in self.values


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of several expressions holds."""

    expressions: Sequence[Expression]

    def holds(self, charge: Charge) -> bool:
        return any(one.holds(charge) for one in self.expressions)


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of several expressions hold; so do all of none."""

    expressions: Sequence[Expression]

    def holds(self, charge: Charge) -> bool:
        return all(one.holds(charge) for one in self.expressions)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """An expression does not hold."""

    expression: Expression

    def holds(self, charge: Charge) -> bool:
        return not self.expression.holds(charge)


EVERYTHING = AllOf(())
