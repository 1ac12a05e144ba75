"""SubnetService's messages from and to what they mean here."""

from typing import Any

from cadastre.network.v1 import subnet_service_pb2 as pb
from services.network.availability_zones import chosen_zone
from services.network.cidr_blocks import BlockMembers, BlockSource
from services.network.resource import CidrAssociation
from services.network.service.subnets import NewSubnet, SubnetInUse
from services.network.servicer.messages import camel_case, given, ipv6_origin_to_proto
from services.network.subnet import IPV4, IPV6, HostnameType, SubnetAttributes
from shared.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter
from shared.tags import tags_from_specifications, tags_to_proto

SubnetState = pb.SubnetState
BlockState = pb.SubnetCidrBlockStateCode

_HOSTNAME_TYPES = {
    HostnameType.IP_NAME: pb.HOSTNAME_TYPE_IP_NAME,
    HostnameType.RESOURCE_NAME: pb.HOSTNAME_TYPE_RESOURCE_NAME,
}


def new_subnet_from_proto(request: pb.CreateSubnetRequest, region: str) -> NewSubnet:
    ipv4 = IPV4.source(
        BlockMembers(
            cidr_block=given(request, "cidr_block"),
            ipam_pool_id=given(request, "ipv4_ipam_pool_id"),
            netmask_length=given(request, "ipv4_netmask_length"),
        )
    )
    if ipv4 is None:
        raise MissingParameter("cidrBlock or ipv4IpamPoolId")
    return NewSubnet(
        vpc_id=request.vpc_id,
        availability_zone=chosen_zone(
            region, given(request, "availability_zone"), given(request, "availability_zone_id")
        ),
        ipv4=ipv4,
        ipv6=_ipv6_source(request),
        tags=tags_from_specifications(request.tag_specifications, "subnet"),
    )


def ipv6_source_from_proto(request: pb.AssociateSubnetCidrBlockRequest) -> BlockSource:
    source = _ipv6_source(request)
    if source is None:
        raise MissingParameter("ipv6CidrBlock or ipv6IpamPoolId")
    return source


def attribute_change_from_proto(request: pb.ModifySubnetAttributeRequest) -> tuple[str, Any]:
    """The attribute's name in `SubnetAttributes` and its new value.

    Raises:
        InvalidParameterCombination: not exactly one is given.
    """
    given_ones = [
        (field.name, value)
        for field, value in request.ListFields()
        if field.name in SubnetAttributes.__slots__
    ]
    changes = {name: _attribute_value(name, value) for name, value in given_ones}
    if len(changes) != 1:
        named = ", ".join(sorted(map(camel_case, SubnetAttributes.__slots__)))
        raise InvalidParameterCombination(
            f"A request changes exactly one attribute, not {len(changes)}; use one of {named}",
            count=len(changes),
        )
    [change] = changes.items()
    return change


def subnet_to_proto(
    known: SubnetInUse, state: SubnetState.ValueType, ipv6: BlockState.ValueType
) -> pb.Subnet:
    """``ipv6`` is the state of the IPv6 block, if there is one."""
    subnet, attributes = known.subnet, known.subnet.attributes
    return pb.Subnet(
        availability_zone_id=subnet.availability_zone_id,
        map_customer_owned_ip_on_launch=False,
        owner_id=subnet.owner_id,
        assign_ipv6_address_on_creation=attributes.assign_ipv6_address_on_creation,
        ipv6_cidr_block_association_set=(
            [ipv6_block_to_proto(subnet.ipv6, ipv6)] if subnet.ipv6 else []
        ),
        tags=tags_to_proto(subnet.tags),
        subnet_arn=subnet.arn,
        enable_dns64=attributes.enable_dns64,
        ipv6_native=False,
        subnet_id=subnet.subnet_id,
        state=state,
        vpc_id=subnet.vpc_id,
        cidr_block=str(subnet.ipv4.cidr),
        available_ip_address_count=known.free_addresses,
        availability_zone=subnet.availability_zone,
        default_for_az=False,
        map_public_ip_on_launch=attributes.map_public_ip_on_launch,
        private_dns_name_options_on_launch=_dns_names_to_proto(attributes),
    )


def ipv6_block_to_proto(
    block: CidrAssociation, state: BlockState.ValueType
) -> pb.SubnetIpv6CidrBlockAssociation:
    return pb.SubnetIpv6CidrBlockAssociation(
        association_id=block.association_id,
        ipv6_cidr_block=str(block.cidr),
        ipv6_cidr_block_state=pb.SubnetCidrBlockState(state=state),
        **ipv6_origin_to_proto(block),
    )


def _ipv6_source(
    request: Any,  # CreateSubnetRequest and AssociateSubnetCidrBlockRequest have no common base
) -> BlockSource | None:
    return IPV6.source(
        BlockMembers(
            cidr_block=given(request, "ipv6_cidr_block"),
            ipam_pool_id=given(request, "ipv6_ipam_pool_id"),
            netmask_length=given(request, "ipv6_netmask_length"),
        )
    )


def _attribute_value(name: str, value: Any) -> bool | HostnameType:
    if name != "private_dns_hostname_type_on_launch":
        return bool(value.value)
    known = {number: hostname_type for hostname_type, number in _HOSTNAME_TYPES.items()}
    if value not in known:
        raise InvalidParameterValue(
            f"Value ({value}) for parameter {camel_case(name)} is invalid; use one of"
            f" {', '.join(HostnameType)}",
            parameter=camel_case(name),
            value=value,
        )
    return known[value]


def _dns_names_to_proto(attributes: SubnetAttributes) -> pb.PrivateDnsNameOptionsOnLaunch:
    return pb.PrivateDnsNameOptionsOnLaunch(
        hostname_type=_HOSTNAME_TYPES[attributes.private_dns_hostname_type_on_launch],
        enable_resource_name_dns_a_record=attributes.enable_resource_name_dns_a_record_on_launch,
        enable_resource_name_dns_aaaa_record=(
            attributes.enable_resource_name_dns_aaaa_record_on_launch
        ),
    )
