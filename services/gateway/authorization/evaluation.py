"""What policies make of a request.

Policies are attached at levels, such as the root, each OU and the account. A request passes when
every level allows it and none denies it; a level without a policy allows nothing. Identity policies
are one more level.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from shared.policies.context import RequestContext
from shared.policies.patterns import Test
from shared.policies.policy import Effect, Policy, Statement

ANY_RESOURCE = "*"
"""What a request is for that names nothing."""


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A policy at a level, by the id it is known by."""

    policy_id: str
    policy: Policy


Level: TypeAlias = Sequence[AttachedPolicy]


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is denied."""

    resource: str
    policy_id: str = ""
    """Of the policy that denies it; empty when it is denied for want of one that allows it."""
    statement: str = ""
    """The label of the statement that denies it."""

    @property
    def is_explicit(self) -> bool:
        """A policy denies it, and none could allow it."""
        return bool(self.policy_id)


@dataclass(frozen=True, slots=True)
class _Rule:
    policy_id: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class ActionRules:
    """What levels of policies say about one action; made once, asked often."""

    _denying: Sequence[_Rule]
    _allowing: Sequence[Sequence[Statement]]
    """Of each level."""
    allow_everything: bool
    """The action is allowed, whatever the resources and the context."""

    @classmethod
    def of(cls, levels: Iterable[Level], action: str) -> Self:
        rules = [
            [
                _Rule(attached.policy_id, statement)
                for attached in level
                for statement in attached.policy.statements
                if statement.is_about(action)
            ]
            for level in levels
        ]
        denying = [
            rule for level in rules for rule in level if rule.statement.effect is Effect.DENY
        ]
        allowing = [
            [rule.statement for rule in level if rule.statement.effect is Effect.ALLOW]
            for level in rules
        ]
        allow_everything = not denying and all(
            any(statement.is_unconditional for statement in level) for level in allowing
        )
        return cls(denying, allowing, allow_everything)

    def denial_of(self, resources: Sequence[str], context: RequestContext) -> Denial | None:
        """Why it is denied for one of ``resources``, or None when it is allowed for them all."""
        denying = [(rule, rule.statement.within(context)) for rule in self._denying]
        for resource in resources:
            for rule, applies_to in denying:
                if applies_to(resource):
                    return Denial(resource, rule.policy_id, rule.statement.label)
        levels = [[statement.within(context) for statement in level] for level in self._allowing]
        for resource in resources:
            if not all(_allows(level, resource) for level in levels):
                return Denial(resource)
        return None


def _allows(level: Iterable[Test], resource: str) -> bool:
    return any(applies_to(resource) for applies_to in level)
