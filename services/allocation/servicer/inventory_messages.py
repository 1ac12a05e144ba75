"""The contract's messages about an IPAM's inventory, from and to what they mean here."""

from collections.abc import Iterable

from cadastre.allocation.v1 import inventory_service_pb2 as pb
from cadastre.allocation.v1 import ledger_service_pb2, pool_allocation_pb2
from cadastre.common.v1 import types_pb2
from services.allocation.allocation import Allocation, ResourceType
from services.allocation.definition import PoolDefinition
from services.allocation.messages import (
    TYPE_NUMBERS,
    aws_word,
    number_if_any,
    proto_number,
    usage_to_proto,
)
from services.allocation.service.importing import ResourceImport
from services.allocation.service.view import PoolUsage, PoolWithCidrs
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.tags import tags_to_proto

_TYPE = pool_allocation_pb2.IpamPoolAllocationResourceType


def pool_record_to_proto(found: PoolWithCidrs) -> pb.PoolRecord:
    return pb.PoolRecord(
        definition=_definition_to_proto(found.definition.as_told()), cidrs=map(str, found.cidrs)
    )


def pool_usage_to_proto(found: PoolUsage) -> pb.PoolUsageRecord:
    definition, free = found.definition.as_told(), found.free
    return pb.PoolUsageRecord(
        definition=_definition_to_proto(definition),
        usage=usage_to_proto(definition.ipam_pool_id, found.usage),
        free_block_count=free.block_count,
        largest_free_netmask_length=free.largest_netmask_length,
        free_addresses=str(free.addresses),
    )


def allocation_record_to_proto(allocation: Allocation) -> pb.AllocationRecord:
    return pb.AllocationRecord(
        ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
        ipam_pool_id=allocation.ipam_pool_id,
        cidr=str(allocation.cidr),
        resource_type=TYPE_NUMBERS[allocation.resource_type],
        resource_id=allocation.resource_id or "",
        resource_region=allocation.resource_region or "",
        resource_owner=allocation.resource_owner,
        service=allocation.allocated_by or "",
    )


def imports_from_proto(imports: Iterable[pb.ResourceImport]) -> list[ResourceImport]:
    return [
        ResourceImport(
            ipam_pool_id=one.ipam_pool_id,
            cidr=Cidr.parse(one.cidr, parameter=f"imports.{number}.cidr"),
            resource_type=ResourceType(aws_word(_TYPE, one.resource_type)),
            resource_id=one.resource_id,
            resource_region=one.resource_region,
            resource_owner=one.resource_owner,
        )
        for number, one in enumerate(imports, 1)
    ]


def outcome_to_proto(outcome: Allocation | CadastreError) -> pb.ImportOutcome:
    if isinstance(outcome, CadastreError):
        return pb.ImportOutcome(reason=outcome.reason, message=outcome.message)
    return pb.ImportOutcome(ipam_pool_allocation_id=outcome.ipam_pool_allocation_id)


def _definition_to_proto(pool: PoolDefinition) -> ledger_service_pb2.IpamPoolDefinition:
    """All but the accounts that it is shared with, which may be many."""
    quota = pool.amazon_block_quota
    return ledger_service_pb2.IpamPoolDefinition(
        ipam_pool_id=pool.ipam_pool_id,
        version=pool.version,
        ipam_id=pool.ipam_id,
        ipam_scope_id=pool.ipam_scope_id,
        ipam_scope_type=proto_number(types_pb2.IpamScopeType, pool.scope_type),
        owner_id=pool.owner_id,
        ipam_region=pool.ipam_region,
        source_ipam_pool_id=pool.source_ipam_pool_id or "",
        address_family=proto_number(types_pb2.AddressFamily, pool.address_family.value),
        locale=pool.locale,
        allocation_min_netmask_length=pool.min_netmask_length,
        allocation_max_netmask_length=pool.max_netmask_length,
        allocation_default_netmask_length=pool.default_netmask_length,
        allocation_resource_tags=tags_to_proto(pool.resource_tags),
        auto_import=pool.auto_import,
        publicly_advertisable=pool.publicly_advertisable,
        aws_service=number_if_any(types_pb2.IpamPoolAwsService, pool.aws_service),
        public_ip_source=number_if_any(types_pb2.IpamPoolPublicIpSource, pool.public_ip_source),
        enable_private_gua=pool.enable_private_gua,
        cidr_quota=pool.cidr_quota,
        source_resource_id=pool.source_resource_id or "",
        amazon_block_quota=ledger_service_pb2.AmazonBlockQuota(
            blocks=quota.blocks,
            min_netmask_length=quota.min_netmask_length,
            max_netmask_length=quota.max_netmask_length,
        )
        if quota
        else None,
    )
