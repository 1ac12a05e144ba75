"""Contract messages from and to what they mean here."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from cadastre.allocation.v1 import audit_service_pb2 as audit_pb
from cadastre.allocation.v1 import ledger_service_pb2 as ledger_pb
from cadastre.allocation.v1 import placement_service_pb2 as placement_pb
from cadastre.allocation.v1 import pool_allocation_pb2, pool_cidr_pb2
from cadastre.common.v1 import types_pb2
from services.allocation.allocation import NO_TAGS, Allocation, ResourceType
from services.allocation.audit.finding import Finding
from services.allocation.definition import PoolDefinition, PublicIpSource, ScopeType
from services.allocation.pool import Usage
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service.allocating import Reservation, ResourceBlock
from services.allocation.service.auditing import Summary
from services.allocation.service.view import KnownPool
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily
from shared.rpc.enums import aws_enum_name, enum_number
from shared.tags import tags_from_proto, tags_from_specifications, tags_to_proto

_TYPE = pool_allocation_pb2.IpamPoolAllocationResourceType
_PROOFS = {
    "cidr_authorization_context": "CidrAuthorizationContext",
    "verification_method": "VerificationMethod",
    "ipam_external_resource_verification_token_id": "IpamExternalResourceVerificationTokenId",
}


def allocation_to_proto(allocation: Allocation) -> pool_allocation_pb2.IpamPoolAllocation:
    message = pool_allocation_pb2.IpamPoolAllocation()
    fill_in_allocation(message, allocation)
    return message


def fill_in_allocation(
    message: pool_allocation_pb2.IpamPoolAllocation, allocation: Allocation
) -> None:
    """Write an allocation where its message is to be: a copy would take longer than the rest."""
    message.cidr = str(allocation.cidr)
    message.ipam_pool_allocation_id = allocation.ipam_pool_allocation_id
    message.resource_type = _TYPE_NUMBERS[allocation.resource_type]
    message.resource_owner = allocation.resource_owner
    if allocation.description is not None:
        message.description = allocation.description
    if allocation.resource_id is not None:
        message.resource_id = allocation.resource_id
    if allocation.resource_region is not None:
        message.resource_region = allocation.resource_region
    if allocation.tags:
        message.tags.extend(tags_to_proto(allocation.tags))


def resource_allocation_to_proto(allocation: Allocation) -> ledger_pb.ResourceAllocation:
    return ledger_pb.ResourceAllocation(
        ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
        client_token=allocation.client_token or "",
        resource_id=allocation.resource_id or "",
        cidr=str(allocation.cidr),
    )


def pool_cidr_to_proto(
    pool_cidr: PoolCidr, state: pool_cidr_pb2.IpamPoolCidrState.ValueType | None = None
) -> pool_cidr_pb2.IpamPoolCidr:
    """A CIDR in the state it is in, or in ``state``, which it went through."""
    lasting = proto_number(pool_cidr_pb2.IpamPoolCidrState, pool_cidr.state)
    return pool_cidr_pb2.IpamPoolCidr(
        cidr=str(pool_cidr.cidr),
        state=lasting if state is None else state,
        ipam_pool_cidr_id=pool_cidr.ipam_pool_cidr_id,
        netmask_length=pool_cidr.cidr.prefix_length,
    )


def finding_to_proto(finding: Finding) -> audit_pb.LedgerFinding:
    return audit_pb.LedgerFinding(
        kind=proto_number(audit_pb.LedgerFindingKind, finding.kind),
        ipam_pool_id=finding.ipam_pool_id,
        record_ids=finding.record_ids,
        cidrs=finding.cidrs,
        message=finding.message,
        repair=finding.repair,
        is_repaired=finding.is_repaired,
    )


def summary_to_proto(summary: Summary) -> audit_pb.LedgerCheckSummary:
    return audit_pb.LedgerCheckSummary(
        pools_checked=summary.checked.pools,
        allocations_checked=summary.checked.allocations,
        cidrs_checked=summary.checked.cidrs,
        findings=summary.findings,
        repaired=summary.repaired,
    )


def known_pool_to_proto(known: KnownPool) -> audit_pb.KnownIpamPool:
    return audit_pb.KnownIpamPool(
        ipam_pool_id=known.ipam_pool_id,
        definition_version=known.definition_version,
        is_retired=known.is_retired,
    )


def usage_to_proto(ipam_pool_id: str, usage: Usage) -> ledger_pb.IpamPoolUsage:
    return ledger_pb.IpamPoolUsage(
        ipam_pool_id=ipam_pool_id,
        total_addresses=str(usage.total_addresses),
        allocated_addresses=str(usage.allocated_addresses),
        assigned_addresses=str(usage.assigned_addresses),
        cidr_count=usage.cidr_count,
        allocation_count=usage.allocation_count,
    )


def definition_from_proto(definition: ledger_pb.IpamPoolDefinition) -> PoolDefinition:
    source = types_pb2.IpamPoolPublicIpSource
    family = aws_word(types_pb2.AddressFamily, definition.address_family)
    return PoolDefinition(
        ipam_pool_id=definition.ipam_pool_id,
        version=definition.version,
        ipam_id=definition.ipam_id,
        ipam_scope_id=definition.ipam_scope_id,
        scope_type=ScopeType(aws_word(types_pb2.IpamScopeType, definition.ipam_scope_type)),
        owner_id=definition.owner_id,
        ipam_region=definition.ipam_region,
        address_family=AddressFamily(family),
        locale=definition.locale,
        cidr_quota=definition.cidr_quota,
        source_ipam_pool_id=definition.source_ipam_pool_id or None,
        min_netmask_length=given(definition, "allocation_min_netmask_length"),
        max_netmask_length=given(definition, "allocation_max_netmask_length"),
        default_netmask_length=given(definition, "allocation_default_netmask_length"),
        resource_tags=tags_from_proto(definition.allocation_resource_tags),
        public_ip_source=(
            PublicIpSource(aws_word(source, definition.public_ip_source))
            if definition.public_ip_source
            else None
        ),
        enable_private_gua=definition.enable_private_gua,
        shared_with=frozenset(definition.shared_with),
    )


def block_to_provision_from_proto(request: pb.ProvisionIpamPoolCidrRequest) -> WantedBlock:
    return WantedBlock.parse(
        cidr=given(request, "cidr"), netmask_length=given(request, "netmask_length")
    )


def proof_from_proto(request: pb.ProvisionIpamPoolCidrRequest) -> str | None:
    """AWS's name of a member that proves control of a public range, if one is there."""
    given = {field.name for field, _ in request.ListFields()}
    return next((name for member, name in _PROOFS.items() if member in given), None)


def block_to_allocate_from_proto(
    request: pb.AllocateIpamPoolCidrRequest | placement_pb.HoldIpamPoolCidrRequest,
) -> WantedBlock:
    return _block_of(members_of(request))


def reservation_from_proto(request: pb.AllocateIpamPoolCidrRequest) -> Reservation:
    members = members_of(request)
    specifications = members.get("tag_specifications")
    return Reservation(
        ipam_pool_id=members["ipam_pool_id"],
        wanted=_block_of(members),
        description=members.get("description"),
        tags=tags_from_specifications(specifications, "ipam-pool-allocation")
        if specifications
        else NO_TAGS,
    )


def _block_of(members: Mapping[str, Any]) -> WantedBlock:
    return WantedBlock.parse(
        cidr=members.get("cidr"),
        netmask_length=members.get("netmask_length"),
        allowed=members.get("allowed_cidrs", ()),
        disallowed=members.get("disallowed_cidrs", ()),
    )


def resource_block_from_proto(request: ledger_pb.AllocateResourceCidrRequest) -> ResourceBlock:
    return ResourceBlock(
        ipam_pool_id=request.ipam_pool_id,
        wanted=WantedBlock.parse(
            cidr=given(request, "cidr"), netmask_length=given(request, "netmask_length")
        ),
        resource_type=ResourceType(aws_word(_TYPE, request.resource_type)),
        resource_id=request.resource_id,
        resource_tags=tags_from_proto(request.resource_tags),
        client_token=request.client_token,
    )


def members_of(message: Message) -> dict[str, Any]:
    """What the client did not leave out: asking once takes less time than asking for each."""
    return {field.name: value for field, value in message.ListFields()}


def given(message: Any, member: str) -> Any:
    """An optional member's value, None when the client left it out."""
    return getattr(message, member) if message.HasField(member) else None


def aws_word(enum_type: Any, number: int) -> str:
    """AWS's word for a value of the contract."""
    return aws_enum_name(enum_type.DESCRIPTOR, number)


def proto_number(enum_type: Any, word: str) -> Any:
    """The contract's number for AWS's word."""
    return enum_number(enum_type.DESCRIPTOR, word)


# Looked up once, for every allocation comes through here.
_TYPE_NUMBERS = {word: proto_number(_TYPE, word) for word in ResourceType}
