"""SubnetService's messages from and to what they mean here."""

from cadastre.network.v1 import subnet_service_pb2 as pb
from services.network.availability_zones import chosen_zone
from services.network.cidr_blocks import BlockMembers
from services.network.service.subnets import NewSubnet, SubnetInUse
from services.network.servicer.messages import given, ipv6_origin_to_proto
from services.network.subnet import IPV4, IPV6, Subnet
from shared.errors import MissingParameter
from shared.tags import tags_from_specifications, tags_to_proto

SubnetState = pb.SubnetState
BlockState = pb.SubnetCidrBlockStateCode


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
    ipv6 = IPV6.source(
        BlockMembers(
            cidr_block=given(request, "ipv6_cidr_block"),
            ipam_pool_id=given(request, "ipv6_ipam_pool_id"),
            netmask_length=given(request, "ipv6_netmask_length"),
        )
    )
    return NewSubnet(
        vpc_id=request.vpc_id,
        availability_zone=chosen_zone(
            region, given(request, "availability_zone"), given(request, "availability_zone_id")
        ),
        ipv4=ipv4,
        ipv6=ipv6,
        tags=tags_from_specifications(request.tag_specifications, "subnet"),
    )


def subnet_to_proto(
    known: SubnetInUse, state: SubnetState.ValueType, ipv6: BlockState.ValueType
) -> pb.Subnet:
    """``ipv6`` is the state of the IPv6 block, if there is one."""
    subnet = known.subnet
    return pb.Subnet(
        availability_zone_id=subnet.availability_zone_id,
        map_customer_owned_ip_on_launch=False,
        owner_id=subnet.owner_id,
        assign_ipv6_address_on_creation=False,
        ipv6_cidr_block_association_set=_ipv6_blocks(subnet, ipv6),
        tags=tags_to_proto(subnet.tags),
        subnet_arn=subnet.arn,
        enable_dns64=False,
        ipv6_native=False,
        subnet_id=subnet.subnet_id,
        state=state,
        vpc_id=subnet.vpc_id,
        cidr_block=str(subnet.ipv4.cidr),
        available_ip_address_count=known.free_addresses,
        availability_zone=subnet.availability_zone,
        default_for_az=False,
        map_public_ip_on_launch=False,
    )


def _ipv6_blocks(
    subnet: Subnet, state: BlockState.ValueType
) -> list[pb.SubnetIpv6CidrBlockAssociation]:
    if subnet.ipv6 is None:
        return []
    return [
        pb.SubnetIpv6CidrBlockAssociation(
            association_id=subnet.ipv6.association_id,
            ipv6_cidr_block=str(subnet.ipv6.cidr),
            ipv6_cidr_block_state=pb.SubnetCidrBlockState(state=state),
            **ipv6_origin_to_proto(subnet.ipv6),
        )
    ]
