"""Subnets: parts of VPCs, and which CIDR blocks and addresses they may have (VPC-4)."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.network.availability_zones import zone_id
from services.network.cidr_blocks import FamilyRules
from services.network.errors import (
    CidrBlockInUse,
    InvalidSubnetConflict,
    InvalidSubnetRange,
    SubnetBlockStays,
)
from services.network.resource import CidrAssociation, Holder, ResourceType
from services.network.vpc import Vpc
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue, OperationNotPermitted
from shared.ids import SUBNET_CIDR_ASSOCIATION
from shared.tags import Tags

IPV4 = FamilyRules(
    AddressFamily.IPV4,
    range(16, 29),
    "cidrBlock",
    "ipv4IpamPoolId",
    "ipv4NetmaskLength",
    holders="subnets",
    out_of_range=InvalidSubnetRange,
)
IPV6 = FamilyRules(
    AddressFamily.IPV6,
    range(44, 65, 4),
    "ipv6CidrBlock",
    "ipv6IpamPoolId",
    "ipv6NetmaskLength",
    holders="subnets",
    out_of_range=InvalidSubnetRange,
)

_RESERVED_AT_START = 4
"""The network's address, the router's, the DNS server's, and one for the future."""
_RESERVED_AT_END = 1


class HostnameType(enum.StrEnum):
    """What instances' names would be made of."""

    IP_NAME = "ip-name"
    RESOURCE_NAME = "resource-name"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetAttributes:
    """What ModifySubnetAttribute changes, with AWS's defaults.

    All but the first are kept as given: nothing here has names, or public addresses but elastic
    ones.
    """

    assign_ipv6_address_on_creation: bool = False
    map_public_ip_on_launch: bool = False
    enable_dns64: bool = False
    private_dns_hostname_type_on_launch: HostnameType = HostnameType.IP_NAME
    enable_resource_name_dns_a_record_on_launch: bool = False
    enable_resource_name_dns_aaaa_record_on_launch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """``associations`` are its blocks, the IPv4 one first; it has one of a family at most."""

    subnet_id: str
    vpc_id: str
    owner_id: str
    region: str
    availability_zone: str
    tags: Tags
    associations: tuple[CidrAssociation, ...] = ()
    attributes: SubnetAttributes = field(default_factory=SubnetAttributes)

    @property
    def holder(self) -> Holder:
        return Holder(
            resource_id=self.subnet_id,
            resource_type=ResourceType.SUBNET,
            owner_id=self.owner_id,
            region=self.region,
            tags=self.tags,
            vpc_id=self.vpc_id,
        )

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2:{self.region}:{self.owner_id}:subnet/{self.subnet_id}"

    @property
    def availability_zone_id(self) -> str:
        return zone_id(self.availability_zone)

    @property
    def ipv4(self) -> CidrAssociation:
        return self.associations[0]

    @property
    def ipv6(self) -> CidrAssociation | None:
        return self.associations[1] if len(self.associations) > 1 else None

    def with_attributes(self, attributes: SubnetAttributes) -> "Subnet":
        """The subnet with other ones.

        Raises:
            InvalidParameterValue: there is no IPv6 block to assign addresses of.
        """
        if attributes.assign_ipv6_address_on_creation and self.ipv6 is None:
            raise InvalidParameterValue(
                "Value (true) for parameter assignIpv6AddressOnCreation is invalid:"
                f" '{self.subnet_id}' has no IPv6 CIDR block; associate one first",
                parameter="assignIpv6AddressOnCreation",
                subnet_id=self.subnet_id,
            )
        return replace(self, attributes=attributes)

    def check_room(self) -> None:
        """It may get an IPv6 block.

        Raises:
            OperationNotPermitted: it has one.
        """
        if self.ipv6 is not None:
            raise OperationNotPermitted(
                f"'{self.subnet_id}' has the IPv6 CIDR block {self.ipv6.cidr}, and a subnet has one"
                " at most; disassociate it first",
                subnet_id=self.subnet_id,
                obstacle=self.ipv6.cidr,
            )

    def check_removable(self, association_id: str) -> CidrAssociation:
        """The block, when it is the IPv6 one and interfaces need none of it.

        Raises:
            SubnetBlockStays: it is the IPv4 one, or new interfaces get addresses of it.
            UnknownId: the subnet has no such block.
        """
        if self.ipv6 is not None and self.ipv6.association_id == association_id:
            if self.attributes.assign_ipv6_address_on_creation:
                raise SubnetBlockStays(
                    self.subnet_id, association_id, "set assignIpv6AddressOnCreation to false first"
                )
            return self.ipv6
        if self.ipv4.association_id == association_id:
            raise SubnetBlockStays(self.subnet_id, association_id, "delete the subnet instead")
        raise SUBNET_CIDR_ASSOCIATION.unknown(association_id)

    def free_addresses(self, used: int) -> int:
        """How many IPv4 addresses are left when so many are in use."""
        return len(usable(self.ipv4.cidr)) - used


def usable(block: Cidr) -> range:
    """The addresses of a subnet's block that interfaces can have, as numbers: all but five."""
    return range(block.first + _RESERVED_AT_START, block.last + 1 - _RESERVED_AT_END)


def check_place(cidr: Cidr, vpc: Vpc, others: Iterable[Subnet]) -> CidrAssociation:
    """The block of ``vpc`` in which a subnet can have ``cidr``, beside the VPC's ``others``.

    Raises:
        InvalidSubnetRange: it lies in none of the VPC's blocks.
        InvalidSubnetConflict: it overlaps another subnet's block.
    """
    blocks = vpc.of_family(cidr.family)
    around = [block for block in blocks if block.cidr.contains(cidr)]
    if not around:
        named = ", ".join(str(block.cidr) for block in blocks) or "none"
        raise InvalidSubnetRange(
            f"The CIDR '{cidr}' is invalid; it has to lie in one of the {cidr.family.value} CIDR"
            f" blocks of '{vpc.vpc_id}': {named}",
            value=cidr,
            vpc_id=vpc.vpc_id,
            blocks=named,
        )
    for other in others:
        for known in other.associations:
            if known.cidr.overlaps(cidr):
                raise InvalidSubnetConflict(cidr, other.subnet_id, known.cidr)
    return around[0]


def placed(association: CidrAssociation, around: CidrAssociation) -> CidrAssociation:
    """A subnet's block, with what there is to know of the VPC's block that it lies in."""
    return replace(association, source_pool=association.source_pool or around.source_pool)


def check_unused(block: Cidr, vpc: Vpc, subnets: Iterable[Subnet]) -> None:
    """``block`` may be taken from ``vpc``: none of its ``subnets`` lies in it.

    Raises:
        CidrBlockInUse: naming one that does.
    """
    for subnet in subnets:
        if any(block.contains(known.cidr) for known in subnet.associations):
            raise CidrBlockInUse(vpc.vpc_id, block, subnet.subnet_id)
