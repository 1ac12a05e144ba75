"""Figures as messages."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring_pb
from cadastre.discovery.v1 import usage_service_pb2 as pb
from services.discovery.costs.charge import hours
from services.discovery.evaluation.model import Finding
from services.discovery.service.usage import (
    IpamUsage,
    MapBlock,
    ResourceCidrCount,
    Utilization,
)
from services.discovery.servicer.words import number_of
from shared.cidr import AddressFamily
from shared.rpc.client import MAX_MESSAGE_BYTES

_EACH_BYTES = 4
"""What a message that is a member of another takes besides itself: its number and its length."""
_TOKEN_BYTES = 2048
_ROOM_BYTES = MAX_MESSAGE_BYTES - _TOKEN_BYTES - _EACH_BYTES


def usage_to_proto(usage: IpamUsage) -> pb.GetIpamUsageResponse:
    return pb.GetIpamUsageResponse(
        active_ip_counts=[
            pb.ActiveIpCount(account_id=account_id, count=count)
            for account_id, count in sorted(usage.active_ips.items())
        ],
        public_address_counts=[
            pb.PublicAddressCount(
                region=kind.region,
                address_type=number_of(monitoring_pb.IpamPublicAddressType, kind.address_type),
                association_status=number_of(
                    monitoring_pb.IpamPublicAddressAssociationStatus, kind.association_status
                ),
                ipam_pool_id=kind.pool_id or "",
                count=count,
            )
            for kind, count in usage.public_addresses.items()
        ],
        active_ip_hours=float(hours(usage.active_ip_milliseconds)),
    )


def count_to_proto(one: ResourceCidrCount) -> pb.ResourceCidrCount:
    return pb.ResourceCidrCount(
        ipam_scope_id=one.scope_id,
        address_family=number_of(types_pb2.AddressFamily, one.family),
        ipam_pool_id=one.pool_id or "",
        resource_type=number_of(monitoring_pb.IpamResourceType, one.resource_type),
        management_state=number_of(monitoring_pb.IpamManagementState, one.management_state),
        compliance_status=number_of(monitoring_pb.IpamComplianceStatus, one.compliance_status),
        overlap_status=number_of(monitoring_pb.IpamOverlapStatus, one.overlap_status),
        count=one.count,
    )


def utilization_to_proto(one: Utilization) -> pb.ResourceUtilization:
    return pb.ResourceUtilization(
        resource_id=one.resource.resource_id,
        owner_id=one.resource.owner_id,
        region=one.resource.region,
        vpc_id=one.resource.vpc_id or "",
        ip_usage=one.ip_usage,
        total_addresses=str(one.total_addresses),
        is_allocated=one.is_allocated,
        name=one.resource.name or "",
    )


class Keyed(NamedTuple):
    """A figure, and its key in the list."""

    key: str
    utilization: pb.ResourceUtilization


def those_that_fit(found: Sequence[Keyed]) -> Sequence[Keyed]:
    """As many as fit into one gRPC message: 1,200 of the longest ids and names."""
    sizes = accumulate(one.utilization.ByteSize() + _EACH_BYTES for one in found)
    return [one for one, size in zip(found, sizes, strict=True) if size <= _ROOM_BYTES]


def block_to_proto(block: MapBlock) -> pb.CidrMapBlock:
    return pb.CidrMapBlock(
        cidr=str(block.cidr),
        state=number_of(pb.CidrMapBlockState, block.state.name.lower()),
        resource_cidr_count=block.resource_cidr_count,
        is_full=block.is_full,
    )


def finding_to_proto(finding: Finding) -> pb.DiscrepancyRecord:
    return pb.DiscrepancyRecord(
        kind=number_of(pb.DiscrepancyKind, finding.discrepancy),
        ipam_scope_id=finding.scope_id,
        ipam_pool_id=finding.pool_id,
        cidr=str(finding.cidr),
        resource_id=finding.resource_id,
        resource_owner_id=finding.owner_id,
        resource_region=finding.region,
        ipam_pool_allocation_id=finding.allocation_id or "",
        message=finding.message,
    )


def family_from_proto(number: "types_pb2.AddressFamily.ValueType") -> AddressFamily:
    """The family of a member that is required."""
    return _FAMILIES[number]


_FAMILIES = {
    types_pb2.ADDRESS_FAMILY_IPV4: AddressFamily.IPV4,
    types_pb2.ADDRESS_FAMILY_IPV6: AddressFamily.IPV6,
}
