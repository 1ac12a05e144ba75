"""A policy: statements that allow or deny actions."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from shared.policies.conditions import Condition
from shared.policies.context import Context, RequestContext
from shared.policies.patterns import Patterns, Test


class Effect(Enum):
    """What a statement does with what it applies to."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Names:
    """Actions or resources: those that match a pattern, or all others."""

    patterns: Patterns
    are_excluded: bool
    """Given as NotAction or NotResource."""

    def within(self, context: Context) -> Test:
        """What tells of a name in a request with ``context`` whether it is one of them."""
        are_named = self.patterns.within(context)
        return (lambda name: not are_named(name)) if self.are_excluded else are_named

    @property
    def are_all(self) -> bool:
        """Whatever the name, it is included."""
        return not self.are_excluded and self.patterns.are_universal


@dataclass(frozen=True)
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
        return self.actions.within({})(action.lower())

    @property
    def is_unconditional(self) -> bool:
        """It applies to its actions whatever else a request says."""
        return self.resources.are_all and not self.conditions

    def within(self, context: RequestContext) -> Test:
        """What tells of a resource whether the statement applies to it in such a request.

        The conditions are asked here, once for all resources. Where the context can be read in
        several ways, the worst holds: who denies applies if it applies in any of them, who allows
        if it applies in all.
        """
        is_deny = self.effect is Effect.DENY
        readings = context.readings(self._keys)
        if readings is None:
            return _all if is_deny else _none
        tests = [self._within(reading) for reading in readings]
        if len(tests) == 1:
            return tests[0]
        enough = any if is_deny else all
        return lambda resource: enough(test(resource) for test in tests)

    def _within(self, context: Context) -> Test:
        if all(condition.holds(context) for condition in self.conditions):
            return self.resources.within(context)
        return _none

    @cached_property
    def _keys(self) -> frozenset[str]:
        """The context keys it looks at."""
        return self.resources.patterns.keys.union(*(one.keys for one in self.conditions))


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Policy:
    """A document's statements, in its order."""

    statements: tuple[Statement, ...]


def _all(_resource: str) -> bool:
    return True


def _none(_resource: str) -> bool:
    return False
