"""What is there and what it was, as messages."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from services.discovery.public_address import PublicAddress
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.monitoring import (
    DiscoveredAccount,
    DiscoveredAddress,
    DiscoveredCidr,
    HistoryRecord,
    MonitoredCidr,
)
from services.discovery.service.routes import DiscoveredRoute
from services.discovery.servicer.words import number_of
from shared.tags import tags_to_proto

_IN_HISTORY = {ResourceType.ENI: "network-interface"}
"""What histories call by another word."""


def monitored_to_proto(record: MonitoredCidr) -> pb.IpamResourceCidr:
    return pb.IpamResourceCidr(
        ipam_id=record.ipam_id,
        ipam_scope_id=record.scope_id,
        ipam_pool_id=record.pool_id,
        resource_region=record.region,
        resource_owner_id=record.owner_id,
        resource_id=record.resource_id,
        resource_name=record.name,
        resource_cidr=str(record.cidr),
        resource_type=number_of(pb.IpamResourceType, record.resource_type),
        resource_tags=tags_to_proto(record.tags),
        ip_usage=record.ip_usage,
        compliance_status=number_of(pb.IpamComplianceStatus, record.compliance_status),
        management_state=number_of(pb.IpamManagementState, record.management_state),
        overlap_status=number_of(pb.IpamOverlapStatus, record.overlap_status),
        vpc_id=record.vpc_id,
        availability_zone_id=record.availability_zone_id,
        broken_rules=record.broken_rules,
    )


def history_to_proto(record: HistoryRecord) -> pb.IpamAddressHistoryRecord:
    word = _IN_HISTORY.get(record.resource_type, record.resource_type.value)
    return pb.IpamAddressHistoryRecord(
        resource_owner_id=record.owner_id,
        resource_region=record.region,
        resource_type=number_of(pb.IpamAddressHistoryResourceType, word),
        resource_id=record.resource_id or None,
        resource_cidr=str(record.cidr),
        resource_name=record.name,
        resource_compliance_status=number_of(pb.IpamComplianceStatus, record.compliance_status),
        resource_overlap_status=number_of(pb.IpamOverlapStatus, record.overlap_status),
        vpc_id=record.vpc_id,
        sampled_start_time=time_to_proto(record.started_at),
        sampled_end_time=time_to_proto(record.ended_at),
    )


def account_to_proto(
    account: DiscoveredAccount, region: str, unit_id: str
) -> pb.IpamDiscoveredAccount:
    reason = None
    if account.failure_code:
        reason = pb.IpamDiscoveryFailureReason(
            code=number_of(pb.IpamDiscoveryFailureCode, account.failure_code),
            message=account.failure_message,
        )
    return pb.IpamDiscoveredAccount(
        account_id=account.account_id,
        discovery_region=region,
        failure_reason=reason,
        last_attempted_discovery_time=time_to_proto(account.last_attempted_at),
        last_successful_discovery_time=time_to_proto(account.last_successful_at),
        organizational_unit_id=unit_id or None,
    )


def discovered_cidr_to_proto(
    found: DiscoveredCidr, discovery_id: str, region: str
) -> pb.IpamDiscoveredResourceCidr:
    status = None
    if found.is_attached is not None:
        status = "in-use" if found.is_attached else "available"
    return pb.IpamDiscoveredResourceCidr(
        ipam_resource_discovery_id=discovery_id,
        resource_region=region,
        resource_id=found.resource_id,
        resource_owner_id=found.owner_id,
        resource_cidr=str(found.cidr),
        ip_source=number_of(pb.IpamResourceCidrIpSource, found.ip_source),
        resource_type=number_of(pb.IpamResourceType, found.resource_type),
        resource_tags=tags_to_proto(found.tags),
        ip_usage=found.ip_usage,
        vpc_id=found.vpc_id,
        subnet_id=found.subnet_id,
        network_interface_attachment_status=number_of(
            pb.IpamNetworkInterfaceAttachmentStatus, status
        ),
        sample_time=time_to_proto(found.sampled_at),
        availability_zone_id=found.availability_zone_id,
    )


def discovered_address_to_proto(
    found: DiscoveredAddress, discovery_id: str, region: str
) -> pb.IpamDiscoveredPublicAddress:
    address = found.address
    recommendation = address.recommendation
    return pb.IpamDiscoveredPublicAddress(
        ipam_resource_discovery_id=discovery_id,
        address_region=region,
        address=str(address.address).partition("/")[0],
        address_owner_id=address.owner_id,
        address_allocation_id=address.allocation_id,
        association_status=number_of(
            pb.IpamPublicAddressAssociationStatus, address.association_status
        ),
        address_type=number_of(pb.IpamPublicAddressType, address.address_type),
        service=number_of(pb.IpamPublicAddressAwsService, address.service),
        service_resource=address.service_resource,
        vpc_id=address.vpc_id,
        subnet_id=address.subnet_id,
        public_ipv4_pool_id=address.public_ipv4_pool_id,
        network_interface_id=address.network_interface_id,
        network_interface_description=address.network_interface_description,
        instance_id=address.instance_id,
        tags=_eip_tags(address),
        network_border_group=address.network_border_group,
        security_groups=[
            pb.IpamPublicAddressSecurityGroup(group_name=group.group_name, group_id=group.group_id)
            for group in address.security_groups
        ],
        sample_time=time_to_proto(found.sampled_at),
        recommendation=recommendation.value if recommendation else None,
    )


def route_to_proto(
    route: DiscoveredRoute, discovery_id: str, sampled_at: datetime
) -> pb.IpamDiscoveredRoute:
    return pb.IpamDiscoveredRoute(
        ipam_resource_discovery_id=discovery_id,
        resource_region=route.region,
        resource_owner_id=route.owner_id,
        cidr=str(route.cidr),
        asn=str(route.asn),
        state=number_of(pb.IpamByoipCidrState, route.state),
        advertisement_type=number_of(pb.IpamByoipAdvertisementType, route.advertisement_type),
        network_border_group=route.network_border_group,
        pool_id=route.pool_id,
        ipam_pool_id=route.ipam_pool_id,
        sample_time=time_to_proto(sampled_at),
    )


def time_to_proto(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def _eip_tags(address: PublicAddress) -> pb.IpamPublicAddressTags | None:
    """Of elastic IP addresses alone; those of a service's resource are not theirs."""
    if address.allocation_id is None:
        return None
    tags = sorted((address.tags or {}).items())
    return pb.IpamPublicAddressTags(
        eip_tags=[pb.IpamPublicAddressTag(key=key, value=value) for key, value in tags]
    )
