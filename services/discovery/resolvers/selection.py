"""What rules select of what is there."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from services.discovery.resolvers.rule import (
    VALUES,
    Candidate,
    Condition,
    PoolCidrRule,
    Property,
    ResourceCidrRule,
    Rule,
    StaticCidrRule,
)
from shared.cidr import AddressFamily, Cidr


class Source(NamedTuple):
    """Where candidates come from."""

    scope_id: str
    resource_type: str | None
    """None: pools' CIDRs."""


class Selection:
    """The CIDRs of a family that any of some rules takes: each once, and at most so many.

    Candidates are offered in any order, and as often as they come. A rule with a condition that
    needs one value costs nothing but where that is; the others cost a look each, until one takes
    it. What goes beyond ``most`` costs nothing more.
    """

    def __init__(self, rules: Sequence[Rule], family: AddressFamily, most: int) -> None:
        self._family, self._most = family, most
        self._taken: set[Cidr] = set()
        self._rules: defaultdict[Source, _Rules] = defaultdict(_Rules)
        for rule in rules:
            if isinstance(rule, StaticCidrRule):
                self._taken.add(rule.cidr)
            else:
                self._rules[_source_of(rule)].add(rule.conditions)

    @property
    def sources(self) -> AbstractSet[Source]:
        """What it is to be offered."""
        return self._rules.keys()

    def asks_about_tags(self, source: Source) -> bool:
        """Whether tags of what comes from there make a difference."""
        return source in self._rules and self._rules[source].ask_about_tags

    def offer(self, source: Source, candidate: Candidate) -> None:
        if self.is_too_large or candidate.cidr.family is not self._family:
            return
        if candidate.cidr in self._taken or source not in self._rules:
            return
        if self._rules[source].take(candidate):
            self._taken.add(candidate.cidr)

    @property
    def is_too_large(self) -> bool:
        """More are taken than may be; then it does not matter which."""
        return len(self._taken) > self._most

    @property
    def cidrs(self) -> Sequence[Cidr] | None:
        """In order; None: more than may be."""
        return None if self.is_too_large else sorted(self._taken)


class _Rules:
    """The conditions of rules about one source, by what they need."""

    def __init__(self) -> None:
        self.ask_about_tags = False
        self._by_value: dict[Property, dict[Hashable, list[Sequence[Condition]]]] = {}
        self._others: list[Sequence[Condition]] = []

    def add(self, conditions: Sequence[Condition]) -> None:
        self.ask_about_tags |= any(one.about is Property.RESOURCE_TAG for one in conditions)
        needed = {one.about: one.needed for one in conditions if one.needed is not None}
        for about in VALUES:
            if about in needed:
                by_value = self._by_value.setdefault(about, {})
                by_value.setdefault(needed[about], []).append(conditions)
                return
        self._others.append(conditions)

    def take(self, candidate: Candidate) -> bool:
        """Whether all conditions of any rule hold."""
        return any(
            all(condition.holds(candidate) for condition in conditions)
            for conditions in self._worth_a_look(candidate)
        )

    def _worth_a_look(self, candidate: Candidate) -> Iterator[Sequence[Condition]]:
        for about, by_value in self._by_value.items():
            for value in VALUES[about](candidate):
                yield from by_value.get(value, ())
        yield from self._others


def _source_of(rule: PoolCidrRule | ResourceCidrRule) -> Source:
    if isinstance(rule, PoolCidrRule):
        return Source(rule.scope_id, None)
    return Source(rule.scope_id, rule.resource_type)
