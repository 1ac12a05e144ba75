"""GetInventory's messages."""

from collections.abc import Iterable, Iterator

from cadastre.common.v1 import inventory_pb2 as pb
from services.network.availability_zones import zone_id
from services.network.public_ipv4_pool import PublicIpv4Pool
from services.network.resource import CidrAssociation, PublicIpSource
from services.network.service.feed import Resource, SourcedAddress
from services.network.service.interfaces import AssociatedInterface
from services.network.subnet import Subnet
from services.network.vpc import Vpc
from shared.tags import tags_to_proto

RESOURCES_PER_PART = 1000
BYTES_PER_PART = 1024 * 1024
"""Reached by resources with many long tags only; a message may have four times as many."""

_IP_SOURCES = {
    None: pb.INVENTORY_IP_SOURCE_UNSPECIFIED,
    PublicIpSource.AMAZON: pb.INVENTORY_IP_SOURCE_AMAZON,
    PublicIpSource.BYOIP: pb.INVENTORY_IP_SOURCE_BYOIP,
}


def parts_to_proto(resources: Iterable[Resource]) -> list[pb.InventoryPart]:
    """All of ``resources``, in as few parts as their limits allow; none if there are none."""
    return list(_parts(part_to_proto(resource) for resource in resources))


def part_to_proto(resource: Resource) -> pb.InventoryPart:
    """A part with this resource alone."""
    match resource:
        case Vpc():
            return pb.InventoryPart(vpcs=[vpc_to_proto(resource)])
        case Subnet():
            return pb.InventoryPart(subnets=[subnet_to_proto(resource)])
        case AssociatedInterface():
            return pb.InventoryPart(network_interfaces=[interface_to_proto(resource)])
        case SourcedAddress():
            return pb.InventoryPart(addresses=[address_to_proto(resource)])
        case PublicIpv4Pool():
            return pb.InventoryPart(public_ipv4_pools=[pool_to_proto(resource)])


def vpc_to_proto(vpc: Vpc) -> pb.InventoryVpc:
    return pb.InventoryVpc(
        vpc_id=vpc.vpc_id,
        cidrs=map(cidr_to_proto, vpc.associations),
        tags=tags_to_proto(vpc.tags),
    )


def subnet_to_proto(subnet: Subnet) -> pb.InventorySubnet:
    return pb.InventorySubnet(
        subnet_id=subnet.subnet_id,
        vpc_id=subnet.vpc_id,
        cidrs=map(cidr_to_proto, subnet.associations),
        tags=tags_to_proto(subnet.tags),
        availability_zone_id=subnet.availability_zone_id,
    )


def cidr_to_proto(association: CidrAssociation) -> pb.InventoryCidr:
    pool = association.source_pool
    return pb.InventoryCidr(
        cidr=str(association.cidr),
        ip_source=_IP_SOURCES[pool.public_ip_source if pool else None],
    )


def interface_to_proto(known: AssociatedInterface) -> pb.InventoryNetworkInterface:
    interface, attachment = known.interface, known.interface.attachment
    return pb.InventoryNetworkInterface(
        network_interface_id=interface.network_interface_id,
        vpc_id=interface.vpc_id,
        subnet_id=interface.subnet_id,
        addresses=map(str, (*interface.private_addresses, *interface.ipv6_addresses)),
        tags=tags_to_proto(interface.tags),
        description=interface.description,
        availability_zone_id=zone_id(interface.availability_zone),
        interface_type="interface",
        is_attached=attachment is not None,
        instance_id=attachment.instance_id if attachment else "",
        instance_owner_id=interface.owner_id if attachment else "",
        security_groups=[
            pb.InventorySecurityGroup(group_id=group_id) for group_id in interface.groups
        ],
        public_ips=[
            pb.InventoryPublicIp(
                address=str(address.public_ip),
                owner_id=address.owner_id,
                allocation_id=address.allocation_id,
            )
            for address in known.elastic_ips
        ],
    )


def address_to_proto(sourced: SourcedAddress) -> pb.InventoryAddress:
    shown, pool = sourced.shown, sourced.source_pool
    address, association = shown.address, shown.address.association
    attachment = shown.interface.attachment if shown.interface else None
    return pb.InventoryAddress(
        allocation_id=address.allocation_id,
        public_ip=str(address.public_ip),
        public_ipv4_pool=address.public_ipv4_pool,
        network_border_group=address.network_border_group,
        tags=tags_to_proto(address.tags),
        association_id=association.association_id if association else "",
        network_interface_id=association.network_interface_id if association else "",
        instance_id=attachment.instance_id if attachment else "",
        ip_source=_IP_SOURCES[pool.public_ip_source if pool else None],
    )


def pool_to_proto(pool: PublicIpv4Pool) -> pb.InventoryPublicIpv4Pool:
    return pb.InventoryPublicIpv4Pool(
        pool_id=pool.pool_id,
        cidrs=[str(cidr) for known in pool.ranges for cidr in known.cidrs],
        tags=tags_to_proto(pool.tags),
        network_border_group=pool.network_border_group,
        total_address_count=pool.total,
        total_available_address_count=pool.available_total,
        is_byoip=pool.has_byoip_space,
    )


def _parts(singles: Iterable[pb.InventoryPart]) -> Iterator[pb.InventoryPart]:
    """``singles`` have one resource each."""
    part, count, size = pb.InventoryPart(), 0, 0
    for single in singles:
        single_size = single.ByteSize()
        if count and (count == RESOURCES_PER_PART or size + single_size > BYTES_PER_PART):
            yield part
            part, count, size = pb.InventoryPart(), 0, 0
        part.MergeFrom(single)
        count, size = count + 1, size + single_size
    if count:
        yield part
