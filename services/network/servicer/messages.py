"""Contract messages from and to what they mean here."""

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.network.v1 import inventory_service_pb2, vpc_pb2
from cadastre.network.v1 import network_service_pb2 as pb
from services.network.changes import CidrRecord
from services.network.cidr_blocks import (
    AMAZON_IPV6,
    IPV4,
    BlockMembers,
    BlockSource,
    Ipv6Members,
    ipv6_source,
)
from services.network.resource import CidrAssociation, PublicIpSource
from services.network.service.vpcs import NewVpc
from services.network.vpc import Attributes, Tenancy, Vpc
from shared.cidr import AddressFamily, Cidr
from shared.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
)
from shared.rpc.enums import aws_enum_name
from shared.tags import tags_from_specifications, tags_to_proto

VpcState = vpc_pb2.VpcState
BlockState = vpc_pb2.VpcCidrBlockStateCode

_TENANCIES = {
    Tenancy.DEFAULT: vpc_pb2.TENANCY_DEFAULT,
    Tenancy.DEDICATED: vpc_pb2.TENANCY_DEDICATED,
}
_IP_SOURCES = {
    PublicIpSource.AMAZON: vpc_pb2.IP_SOURCE_AMAZON,
    PublicIpSource.BYOIP: vpc_pb2.IP_SOURCE_BYOIP,
}
_UNIQUE_LOCAL = Cidr.parse("fc00::/7")


def new_vpc_from_proto(request: pb.CreateVpcRequest, region: str) -> NewVpc:
    ipv4, ipv6 = sources_from_proto(request, region)
    if ipv4 is None:
        raise MissingParameter("cidrBlock or ipv4IpamPoolId")
    return NewVpc(
        ipv4=ipv4,
        ipv6=ipv6,
        instance_tenancy=_tenancy_from_proto(request),
        tags=tags_from_specifications(request.tag_specifications, "vpc"),
    )


def added_block_from_proto(
    request: pb.AssociateVpcCidrBlockRequest, region: str
) -> tuple[AddressFamily, BlockSource]:
    ipv4, ipv6 = sources_from_proto(request, region)
    if ipv4 and ipv6:
        raise InvalidParameterCombination(
            "A request associates one CIDR block; ask for the IPv4 and the IPv6 one separately"
        )
    if ipv4:
        return AddressFamily.IPV4, ipv4
    if ipv6:
        return AddressFamily.IPV6, ipv6
    raise MissingParameter("cidrBlock, ipv4IpamPoolId, ipv6CidrBlock or ipv6IpamPoolId")


def sources_from_proto(
    request: Any,  # CreateVpcRequest and AssociateVpcCidrBlockRequest share members, but no base
    region: str,
) -> tuple[BlockSource | None, BlockSource | None]:
    """Where the IPv4 and the IPv6 block of a request come from."""
    ipv4 = BlockMembers(
        cidr_block=given(request, "cidr_block"),
        ipam_pool_id=given(request, "ipv4_ipam_pool_id"),
        netmask_length=given(request, "ipv4_netmask_length"),
    )
    ipv6 = Ipv6Members(
        block=BlockMembers(
            cidr_block=given(request, "ipv6_cidr_block"),
            ipam_pool_id=given(request, "ipv6_ipam_pool_id"),
            netmask_length=given(request, "ipv6_netmask_length"),
        ),
        address_pool_id=given(request, "ipv6_pool"),
        is_amazon_provided=request.amazon_provided_ipv6_cidr_block,
        network_border_group=given(request, "ipv6_cidr_block_network_border_group"),
    )
    return IPV4.source(ipv4), ipv6_source(ipv6, region)


def attribute_name_from_proto(request: pb.DescribeVpcAttributeRequest) -> str:
    """The member of the answer, and of `Attributes`, that the request names."""
    names = {camel_case(name): name for name in Attributes.__slots__}
    if request.attribute not in names:
        raise InvalidParameterValue(
            f"Value ({request.attribute}) for parameter attribute is invalid; use one of"
            f" {', '.join(sorted(names))}",
            parameter="attribute",
            value=request.attribute,
        )
    return names[request.attribute]


def attribute_change_from_proto(request: pb.ModifyVpcAttributeRequest) -> tuple[str, bool]:
    """The attribute's name in `Attributes` and its new value."""
    given = [
        (name, getattr(request, name).value)
        for name in Attributes.__slots__
        if getattr(request, name).HasField("value")
    ]
    if len(given) != 1:
        raise InvalidParameterCombination(
            "A request changes exactly one attribute; use one of"
            f" {', '.join(sorted(map(camel_case, Attributes.__slots__)))}"
        )
    return given[0]


def vpc_to_proto(vpc: Vpc, state: VpcState.ValueType, ipv6: BlockState.ValueType) -> vpc_pb2.Vpc:
    """IPv4 blocks are associated as soon as they are shown; ``ipv6`` is the others' state."""
    return vpc_pb2.Vpc(
        owner_id=vpc.owner_id,
        instance_tenancy=_TENANCIES[vpc.instance_tenancy],
        ipv6_cidr_block_association_set=[
            ipv6_association_to_proto(vpc, association, ipv6)
            for association in vpc.of_family(AddressFamily.IPV6)
        ],
        cidr_block_association_set=[
            ipv4_association_to_proto(association, vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATED)
            for association in vpc.of_family(AddressFamily.IPV4)
        ],
        is_default=False,
        tags=tags_to_proto(vpc.tags),
        vpc_id=vpc.vpc_id,
        state=state,
        cidr_block=str(vpc.primary.cidr),
        dhcp_options_id=vpc.dhcp_options_id,
    )


def association_to_proto(
    vpc: Vpc, association: CidrAssociation, state: BlockState.ValueType
) -> dict[str, Any]:
    """The members of an answer about one block: its family's, and the VPC's id."""
    members: dict[str, Any] = {"vpc_id": vpc.vpc_id}
    if association.cidr.family is AddressFamily.IPV4:
        members["cidr_block_association"] = ipv4_association_to_proto(association, state)
    else:
        members["ipv6_cidr_block_association"] = ipv6_association_to_proto(vpc, association, state)
    return members


def ipv4_association_to_proto(
    association: CidrAssociation, state: BlockState.ValueType
) -> vpc_pb2.VpcCidrBlockAssociation:
    return vpc_pb2.VpcCidrBlockAssociation(
        association_id=association.association_id,
        cidr_block=str(association.cidr),
        cidr_block_state=vpc_pb2.VpcCidrBlockState(state=state),
    )


def ipv6_association_to_proto(
    vpc: Vpc, association: CidrAssociation, state: BlockState.ValueType
) -> vpc_pb2.VpcIpv6CidrBlockAssociation:
    return vpc_pb2.VpcIpv6CidrBlockAssociation(
        association_id=association.association_id,
        ipv6_cidr_block=str(association.cidr),
        ipv6_cidr_block_state=vpc_pb2.VpcCidrBlockState(state=state),
        network_border_group=vpc.region,
        ipv6_pool="Amazon" if association.ipam_pool_id == AMAZON_IPV6 else association.ipam_pool_id,
        **ipv6_origin_to_proto(association),
    )


def ipv6_origin_to_proto(association: CidrAssociation) -> dict[str, Any]:
    """Where an IPv6 block comes from, and if the internet reaches it, as far as it is known."""
    pool = association.source_pool
    if pool is not None and pool.public_ip_source is not None:
        return {
            "ip_source": _IP_SOURCES[pool.public_ip_source],
            "ipv6_address_attribute": vpc_pb2.IPV6_ADDRESS_ATTRIBUTE_PUBLIC,
        }
    if pool is not None or _UNIQUE_LOCAL.contains(association.cidr):
        return {
            "ip_source": vpc_pb2.IP_SOURCE_NONE,
            "ipv6_address_attribute": vpc_pb2.IPV6_ADDRESS_ATTRIBUTE_PRIVATE,
        }
    return {}


def record_to_proto(record: CidrRecord) -> inventory_service_pb2.CidrAssociation:
    return inventory_service_pb2.CidrAssociation(
        association_id=record.association_id,
        resource_id=record.resource_id,
        owner_id=record.owner_id,
        region=record.region,
        resource_type=record.resource_type,
        cidr=record.cidr or "",
        ipam_pool_allocation_id=record.ipam_pool_allocation_id or "",
    )


def given(request: Any, member: str) -> Any:
    """The member's value; None when it is absent."""
    return getattr(request, member) if request.HasField(member) else None


def timestamp_to_proto(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def _tenancy_from_proto(request: pb.CreateVpcRequest) -> Tenancy:
    if not request.HasField("instance_tenancy"):
        return Tenancy.DEFAULT
    name = aws_enum_name(vpc_pb2.Tenancy.DESCRIPTOR, request.instance_tenancy)
    if name not in list(Tenancy):
        raise InvalidParameterValue(
            f"Value ({name}) for parameter instanceTenancy is invalid; use one of"
            f" {', '.join(Tenancy)}",
            parameter="instanceTenancy",
            value=name,
        )
    return Tenancy(name)


def camel_case(name: str) -> str:
    """A member's name as EC2's requests have it."""
    first, *others = name.split("_")
    # Records of DNS are named in capitals alone.
    return first + "".join("AAAA" if word == "aaaa" else word.capitalize() for word in others)
