"""Resources from lines of JSON, as the messages of a push."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from cadastre.common.v1 import inventory_pb2, types_pb2
from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from services.local.inventory_lines import (
    Address,
    NetworkInterface,
    PublicIpv4Pool,
    Resource,
    ServiceAddress,
    SourcedCidr,
    Subnet,
    Vpc,
)

RESOURCES_PER_PART = 1000
BYTES_PER_PART = 1024 * 1024
"""Reached by resources with many long tags only; a message may have four times as many."""

_IP_SOURCES = {
    "none": inventory_pb2.INVENTORY_IP_SOURCE_UNSPECIFIED,
    "amazon": inventory_pb2.INVENTORY_IP_SOURCE_AMAZON,
    "byoip": inventory_pb2.INVENTORY_IP_SOURCE_BYOIP,
}


def push_to_proto(
    resources: Iterable[Resource], *, source: str, account_id: str, sampled_at: datetime | None
) -> Iterator[pb.PushSnapshotRequest]:
    """All messages of a push; without ``sampled_at`` the resources are as of its arrival."""
    header = pb.SnapshotHeader(source=source)
    if sampled_at:
        header.sample_time.FromDatetime(sampled_at)
    yield pb.PushSnapshotRequest(header=header)
    count = 0
    part, part_count, part_bytes = inventory_pb2.InventoryPart(), 0, 0
    for resource in resources:
        single = part_to_proto(resource, account_id)
        size = single.ByteSize()
        is_full = part_count == RESOURCES_PER_PART or part_bytes + size > BYTES_PER_PART
        if part_count and is_full:
            yield pb.PushSnapshotRequest(part=part)
            part, part_count, part_bytes = inventory_pb2.InventoryPart(), 0, 0
        part.MergeFrom(single)
        count, part_count, part_bytes = count + 1, part_count + 1, part_bytes + size
    if part_count:
        yield pb.PushSnapshotRequest(part=part)
    yield pb.PushSnapshotRequest(end=pb.SnapshotEnd(resource_count=count))


def part_to_proto(resource: Resource, account_id: str) -> inventory_pb2.InventoryPart:
    """A part with this resource alone; ``account_id`` owns what no other owner is told of."""
    match resource:
        case Vpc():
            return inventory_pb2.InventoryPart(vpcs=[_vpc(resource)])
        case Subnet():
            return inventory_pb2.InventoryPart(subnets=[_subnet(resource)])
        case NetworkInterface():
            return inventory_pb2.InventoryPart(
                network_interfaces=[_interface(resource, account_id)]
            )
        case Address():
            return inventory_pb2.InventoryPart(addresses=[_address(resource)])
        case PublicIpv4Pool():
            return inventory_pb2.InventoryPart(public_ipv4_pools=[_public_ipv4_pool(resource)])
        case ServiceAddress():
            return inventory_pb2.InventoryPart(service_addresses=[_service_address(resource)])


def _vpc(vpc: Vpc) -> inventory_pb2.InventoryVpc:
    return inventory_pb2.InventoryVpc(vpc_id=vpc.id, cidrs=_cidrs(vpc.cidrs), tags=_tags(vpc.tags))


def _subnet(subnet: Subnet) -> inventory_pb2.InventorySubnet:
    return inventory_pb2.InventorySubnet(
        subnet_id=subnet.id,
        vpc_id=subnet.vpc_id,
        cidrs=_cidrs(subnet.cidrs),
        tags=_tags(subnet.tags),
        availability_zone_id=subnet.availability_zone_id,
    )


def _interface(
    interface: NetworkInterface, account_id: str
) -> inventory_pb2.InventoryNetworkInterface:
    attachment = interface.attachment
    return inventory_pb2.InventoryNetworkInterface(
        network_interface_id=interface.id,
        vpc_id=interface.vpc_id,
        subnet_id=interface.subnet_id,
        addresses=interface.addresses,
        delegated_prefixes=interface.delegated_prefixes,
        tags=_tags(interface.tags),
        description=interface.description,
        availability_zone_id=interface.availability_zone_id,
        interface_type=interface.interface_type,
        is_requester_managed=interface.requester_id is not None,
        requester_id=interface.requester_id or "",
        is_attached=attachment is not None,
        instance_id=attachment.instance_id if attachment else "",
        instance_owner_id=(attachment.owner_id or account_id) if attachment else "",
        security_groups=[
            inventory_pb2.InventorySecurityGroup(group_id=group.id, group_name=group.name)
            for group in interface.security_groups
        ],
        public_ips=[
            inventory_pb2.InventoryPublicIp(
                address=public_ip.address,
                owner_id=public_ip.owner_id or account_id,
                allocation_id=public_ip.allocation_id,
            )
            for public_ip in interface.public_ips
        ],
    )


def _address(address: Address) -> inventory_pb2.InventoryAddress:
    return inventory_pb2.InventoryAddress(
        allocation_id=address.id,
        public_ip=address.public_ip,
        public_ipv4_pool=address.public_ipv4_pool,
        network_border_group=address.network_border_group,
        tags=_tags(address.tags),
        association_id=address.association_id,
        network_interface_id=address.network_interface_id,
        instance_id=address.instance_id,
        service_managed=address.service_managed,
    )


def _public_ipv4_pool(pool: PublicIpv4Pool) -> inventory_pb2.InventoryPublicIpv4Pool:
    return inventory_pb2.InventoryPublicIpv4Pool(
        pool_id=pool.id,
        cidrs=pool.cidrs,
        tags=_tags(pool.tags),
        network_border_group=pool.network_border_group,
        total_address_count=pool.total_address_count,
        total_available_address_count=pool.total_available_address_count,
        is_byoip=pool.is_byoip,
    )


def _service_address(told: ServiceAddress) -> inventory_pb2.InventoryServiceAddress:
    return inventory_pb2.InventoryServiceAddress(
        address=told.address,
        service=told.service,
        service_resource=told.service_resource,
        is_byoip=told.is_byoip,
        tags=_tags(told.tags),
    )


def _cidrs(cidrs: Iterable[SourcedCidr]) -> list[inventory_pb2.InventoryCidr]:
    return [
        inventory_pb2.InventoryCidr(cidr=told.cidr, ip_source=_IP_SOURCES[told.ip_source])
        for told in cidrs
    ]


def _tags(tags: Mapping[str, str]) -> list[types_pb2.Tag]:
    return [types_pb2.Tag(key=key, value=value) for key, value in tags.items()]
