"""What is known of resources."""

from collections.abc import AsyncIterator
from typing import Any

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from cadastre.discovery.v1 import usage_service_pb2, usage_service_pb2_grpc
from services.metrics.clients.words import SELF, family_of, number_of, word_of
from services.metrics.figures import (
    Group,
    Limits,
    Monitored,
    PublicAddressCount,
    ResourceCidrCount,
    Utilization,
    groups_with_usage,
)
from shared.rpc.client import Remote
from shared.rpc.enums import enum_number

RESOURCES_ON_A_PAGE = 5000

_FIGURES_SECONDS = 30.0
"""Discovery counts what it has at each question."""


class DiscoveryClient:
    """Discovery's figures."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = usage_service_pb2_grpc.UsageServiceStub(remote.channel)

    async def monitored(self, ipam_id: str, limits: Limits) -> Monitored:
        request = usage_service_pb2.GetIpamUsageRequest(ipam_id=ipam_id)
        usage = await self._call(self._stub.GetIpamUsage, request)
        counts = await self._counts(ipam_id)
        return Monitored(
            active_ips={one.account_id: one.count for one in usage.active_ip_counts},
            public_addresses=[_public_from_proto(one) for one in usage.public_address_counts],
            resource_cidrs=counts,
            utilizations=[
                utilization
                for group in groups_with_usage(counts)
                for utilization in await self._chosen(group, limits)
            ],
            active_ip_hours=usage.active_ip_hours,
        )

    async def resource_usages(self, ipam_id: str) -> AsyncIterator[Utilization]:
        for group in groups_with_usage(await self._counts(ipam_id)):
            request = usage_service_pb2.ListResourceUsagesRequest(
                **_group_to_proto(group), max_results=RESOURCES_ON_A_PAGE
            )
            pages = self._remote.pages(
                self._stub.ListResourceUsages,
                request,
                caller=SELF,
                timeout_seconds=_FIGURES_SECONDS,
            )
            async for page in pages:
                for one in page.utilizations:
                    yield _utilization_from_proto(group, one)

    async def _chosen(self, group: Group, limits: Limits) -> list[Utilization]:
        request = usage_service_pb2.ListResourceUtilizationRequest(
            **_group_to_proto(group),
            highest=limits.highest,
            lowest=limits.lowest,
            allocated=limits.allocated,
        )
        answer = await self._call(self._stub.ListResourceUtilization, request)
        return [_utilization_from_proto(group, one) for one in answer.utilizations]

    async def _counts(self, ipam_id: str) -> list[ResourceCidrCount]:
        request = usage_service_pb2.ListResourceCidrCountsRequest(ipam_id=ipam_id)
        answer = await self._call(self._stub.ListResourceCidrCounts, request)
        return [_count_from_proto(one) for one in answer.counts]

    async def _call(self, method: Any, request: Any) -> Any:
        return await self._remote.call(
            method, request, caller=SELF, timeout_seconds=_FIGURES_SECONDS
        )


def _count_from_proto(one: usage_service_pb2.ResourceCidrCount) -> ResourceCidrCount:
    return ResourceCidrCount(
        scope_id=one.ipam_scope_id,
        family=family_of(one.address_family),
        pool_id=one.ipam_pool_id,
        resource_type=word_of(monitoring.IpamResourceType.DESCRIPTOR, one.resource_type),
        management_state=word_of(monitoring.IpamManagementState.DESCRIPTOR, one.management_state),
        compliance_status=word_of(
            monitoring.IpamComplianceStatus.DESCRIPTOR, one.compliance_status
        ),
        overlap_status=word_of(monitoring.IpamOverlapStatus.DESCRIPTOR, one.overlap_status),
        count=one.count,
    )


def _public_from_proto(one: usage_service_pb2.PublicAddressCount) -> PublicAddressCount:
    status = monitoring.IpamPublicAddressAssociationStatus.DESCRIPTOR
    return PublicAddressCount(
        region=one.region,
        address_type=word_of(monitoring.IpamPublicAddressType.DESCRIPTOR, one.address_type),
        association_status=word_of(status, one.association_status),
        pool_id=one.ipam_pool_id,
        count=one.count,
    )


def _group_to_proto(group: Group) -> dict[str, Any]:
    return {
        "ipam_scope_id": group.scope_id,
        "resource_type": enum_number(monitoring.IpamResourceType.DESCRIPTOR, group.resource_type),
        "address_family": enum_number(types_pb2.AddressFamily.DESCRIPTOR, group.family.value),
    }


def _utilization_from_proto(
    group: Group, one: usage_service_pb2.ResourceUtilization
) -> Utilization:
    return Utilization(
        group,
        resource_id=one.resource_id,
        owner_id=one.owner_id,
        region=one.region,
        vpc_id=one.vpc_id,
        ip_usage=one.ip_usage,
        addresses=number_of(one.total_addresses),
        name=one.name,
    )
