"""CIDR selection rules: which CIDRs of an IPAM a prefix list resolver takes."""

import enum
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue


class Operation(enum.Enum):
    """The value is AWS's word."""

    EQUALS = "equals"
    NOT_EQUALS = "not-equals"
    SUBNET_OF = "subnet-of"


class Property(enum.Enum):
    """What conditions ask about; the value is AWS's name of the member."""

    IPAM_POOL_ID = "ipamPoolId"
    RESOURCE_ID = "resourceId"
    RESOURCE_OWNER = "resourceOwner"
    RESOURCE_REGION = "resourceRegion"
    RESOURCE_TAG = "resourceTag"
    CIDR = "cidr"


OF_POOLS = frozenset({Property.IPAM_POOL_ID, Property.CIDR})
"""What rules about pools ask about."""
OF_RESOURCES = frozenset(Property) - {Property.IPAM_POOL_ID}
"""What rules about resources ask about."""


class TagPattern(NamedTuple):
    """Tags with this key and this value; None stands for any."""

    key: str | None
    value: str | None

    def is_among(self, tags: Mapping[str, str]) -> bool:
        if self.key is not None:
            return self.key in tags and self.value in (None, tags[self.key])
        return self.value in tags.values()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A CIDR that rules may take, and what is known of it."""

    cidr: Cidr
    pool_id: str = ""
    """That it is provisioned to; empty of a resource's."""
    resource_id: str = ""
    owner_id: str = ""
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


VALUES: Mapping[Property, Callable[[Candidate], Collection[Hashable]]] = {
    Property.RESOURCE_ID: lambda candidate: (candidate.resource_id,),
    Property.CIDR: lambda candidate: (candidate.cidr,),
    Property.RESOURCE_TAG: lambda candidate: candidate.tags.items(),
    Property.IPAM_POOL_ID: lambda candidate: (candidate.pool_id,),
    Property.RESOURCE_OWNER: lambda candidate: (candidate.owner_id,),
    Property.RESOURCE_REGION: lambda candidate: (candidate.region,),
}
"""What a candidate has of a property; properties that tell more apart come first."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a CIDR has to be. ``wanted`` is of the kind that the property is of."""

    operation: Operation
    about: Property
    wanted: str | Cidr | TagPattern

    def holds(self, candidate: Candidate) -> bool:
        if self.operation is Operation.SUBNET_OF:
            return isinstance(self.wanted, Cidr) and self.wanted.contains(candidate.cidr)
        if isinstance(self.wanted, TagPattern):
            is_equal = self.wanted.is_among(candidate.tags)
        else:
            is_equal = self.wanted in VALUES[self.about](candidate)
        return is_equal is (self.operation is Operation.EQUALS)

    @property
    def needed(self) -> Hashable | None:
        """The one value of `VALUES` without which it can't hold; None: there is no such value."""
        if self.operation is not Operation.EQUALS:
            return None
        if isinstance(self.wanted, TagPattern) and None in self.wanted:
            return None
        return self.wanted


@dataclass(frozen=True, slots=True)
class StaticCidrRule:
    """Takes one CIDR, whether or not anything has it."""

    cidr: Cidr


@dataclass(frozen=True, slots=True)
class PoolCidrRule:
    """Takes CIDRs that are provisioned to pools of a scope."""

    scope_id: str
    conditions: Sequence[Condition] = ()


@dataclass(frozen=True, slots=True)
class ResourceCidrRule:
    """Takes CIDRs of resources of a type in a scope."""

    scope_id: str
    resource_type: str
    """AWS's word; of a type that is not discovered there are none."""
    conditions: Sequence[Condition] = ()


Rule: TypeAlias = StaticCidrRule | PoolCidrRule | ResourceCidrRule


def check_family(rules: Sequence[Rule], family: AddressFamily) -> None:
    """Nothing, when every CIDR that ``rules`` name is of ``family``.

    Raises:
        InvalidParameterValue: one is not.
    """
    for rule in rules:
        if isinstance(rule, StaticCidrRule):
            _check(rule.cidr, family, "staticCidr")
            continue
        for condition in rule.conditions:
            if isinstance(condition.wanted, Cidr):
                _check(condition.wanted, family, "cidr")


def pool_ids(rules: Sequence[Rule]) -> Mapping[str, set[str]]:
    """The pools that conditions name, by the scope that they have to be of."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        if isinstance(rule, PoolCidrRule):
            named = {
                condition.wanted
                for condition in rule.conditions
                if condition.about is Property.IPAM_POOL_ID and isinstance(condition.wanted, str)
            }
            found.setdefault(rule.scope_id, set()).update(named)
    return found


def scope_ids(rules: Sequence[Rule]) -> list[str]:
    """The scopes that rules name, each once, in their order."""
    return list(
        dict.fromkeys(rule.scope_id for rule in rules if not isinstance(rule, StaticCidrRule))
    )


def _check(cidr: Cidr, family: AddressFamily, parameter: str) -> None:
    if cidr.family is not family:
        raise InvalidParameterValue(
            f"Value ({cidr}) for parameter {parameter} is invalid. The resolver selects"
            f" {family.value} CIDRs; use one of those",
            parameter=parameter,
            value=cidr,
            address_family=family.value,
        )
