"""A policy: statements that allow or deny actions."""

from dataclasses import dataclass
from enum import Enum

from shared.policies.conditions import Condition
from shared.policies.context import Context
from shared.policies.patterns import Pattern


class Effect(Enum):
    """What a statement does with what it applies to."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Names:
    """Actions or resources: those that match a pattern, or all others."""

    patterns: tuple[Pattern, ...]
    are_excluded: bool
    """Given as NotAction or NotResource."""

    def include(self, name: str, context: Context) -> bool:
        is_named = any(pattern.matches(name, context) for pattern in self.patterns)
        return is_named != self.are_excluded

    @property
    def are_all(self) -> bool:
        """Whatever the name, it is included."""
        return not self.are_excluded and any(pattern.is_universal for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed or denied, and when."""

    label: str
    """Its Sid; without one, its number, from 1: ``#2``."""
    effect: Effect
    actions: Names
    resources: Names
    conditions: tuple[Condition, ...]

    def is_about(self, action: str) -> bool:
        """Whether it speaks of ``action``; the case of letters doesn't matter."""
        return self.actions.include(action.lower(), {})

    @property
    def is_unconditional(self) -> bool:
        """It applies to its actions whatever else a request says."""
        return self.resources.are_all and not self.conditions

    def applies_to(self, resource: str, context: Context) -> bool:
        """Whether a request for ``resource`` with ``context`` is one it means."""
        return self.resources.include(resource, context) and all(
            condition.holds(context) for condition in self.conditions
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A document's statements, in its order."""

    statements: tuple[Statement, ...]
