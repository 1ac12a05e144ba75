"""What every VPC has: a default network ACL, a main route table and a default security group.

They are records: nothing is filtered or routed by them, and there are no others. Kept of each are
its id and its tags; what is in them follows from the VPC's blocks and subnets.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from services.network.vpc import Vpc
from shared.cidr import AddressFamily, Cidr
from shared.ids import (
    NETWORK_ACL,
    NETWORK_ACL_ASSOCIATION,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    IdKind,
)
from shared.tags import Tags

ANYWHERE: Mapping[AddressFamily, Cidr] = {
    AddressFamily.IPV4: Cidr.parse("0.0.0.0/0"),
    AddressFamily.IPV6: Cidr.parse("::/0"),
}
_FIRST_RULE: Mapping[AddressFamily, int] = {AddressFamily.IPV4: 100, AddressFamily.IPV6: 101}
_LAST_RULE: Mapping[AddressFamily, int] = {AddressFamily.IPV4: 32767, AddressFamily.IPV6: 32768}


class DefaultKind(enum.StrEnum):
    """AWS's names of the kinds of resources."""

    NETWORK_ACL = "network-acl"
    ROUTE_TABLE = "route-table"
    SECURITY_GROUP = "security-group"

    @property
    def ids(self) -> IdKind:
        return _IDS[self]


_IDS: Mapping[DefaultKind, IdKind] = {
    DefaultKind.NETWORK_ACL: NETWORK_ACL,
    DefaultKind.ROUTE_TABLE: ROUTE_TABLE,
    DefaultKind.SECURITY_GROUP: SECURITY_GROUP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcDefault:
    """One of the three of a VPC."""

    resource_id: str
    kind: DefaultKind
    vpc_id: str
    owner_id: str
    region: str
    tags: Tags = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2:{self.region}:{self.owner_id}:{self.kind}/{self.resource_id}"

    @property
    def main_association_id(self) -> str:
        """That of a route table with its VPC."""
        return ROUTE_TABLE_ASSOCIATION.derived(self.resource_id)


@dataclass(frozen=True, slots=True)
class AclEntry:
    """What a network ACL does with traffic to or from ``cidr``, unless a lower number fits."""

    rule_number: int
    cidr: Cidr
    is_egress: bool
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What a security group lets through: all to or from ``cidr``; None: the group itself."""

    rule_id: str
    is_egress: bool
    cidr: Cidr | None


def defaults_of(vpc: Vpc) -> list[VpcDefault]:
    """Those that a new VPC gets."""
    return [
        VpcDefault(
            resource_id=kind.ids.new(),
            kind=kind,
            vpc_id=vpc.vpc_id,
            owner_id=vpc.owner_id,
            region=vpc.region,
        )
        for kind in DefaultKind
    ]


def acl_entries(vpc: Vpc) -> list[AclEntry]:
    """All traffic is allowed in and out; by direction, then by number."""
    entries = [
        AclEntry(numbers[family], ANYWHERE[family], is_egress, is_allowed)
        for family in _families(vpc)
        for is_egress in (True, False)
        for numbers, is_allowed in ((_FIRST_RULE, True), (_LAST_RULE, False))
    ]
    return sorted(entries, key=lambda entry: (not entry.is_egress, entry.rule_number))


def acl_association_id(subnet_id: str) -> str:
    """A subnet has one network ACL at a time."""
    return NETWORK_ACL_ASSOCIATION.derived(subnet_id)


def local_routes(vpc: Vpc) -> list[Cidr]:
    """The blocks that are routed within the VPC: all it has, IPv4 first."""
    return [known.cidr for family in AddressFamily for known in vpc.of_family(family)]


def group_rules(group: VpcDefault, vpc: Vpc) -> list[GroupRule]:
    """All from the group itself comes in, and all goes out to anywhere."""
    egress = [ANYWHERE[family] for family in _families(vpc)]
    return [
        GroupRule(_rule_id(group, "ingress"), is_egress=False, cidr=None),
        *(GroupRule(_rule_id(group, str(cidr)), is_egress=True, cidr=cidr) for cidr in egress),
    ]


def check_no_names(group_names: Collection[str]) -> None:
    """Groups are named in the default VPC alone, which no account has.

    Raises:
        UnknownId: one is named.
    """
    for name in group_names:
        raise SECURITY_GROUP.unknown(name)


def _families(vpc: Vpc) -> Sequence[AddressFamily]:
    return [family for family in AddressFamily if vpc.of_family(family)]


def _rule_id(group: VpcDefault, rule: str) -> str:
    return SECURITY_GROUP_RULE.derived(f"{group.resource_id}/{rule}")
