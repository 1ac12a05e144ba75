"""Contract messages from and to what they mean here."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as pb
from cadastre.allocation.v1 import audit_service_pb2 as audit_pb
from cadastre.allocation.v1 import ledger_service_pb2 as ledger_pb
from cadastre.allocation.v1 import observation_service_pb2 as observation_pb
from cadastre.allocation.v1 import placement_service_pb2 as placement_pb
from cadastre.allocation.v1 import pool_allocation_pb2, pool_cidr_pb2
from cadastre.common.v1 import types_pb2
from services.allocation.allocation import NO_TAGS, Allocation, ResourceType
from services.allocation.audit.finding import Finding
from services.allocation.definition import (
    AmazonBlockQuota,
    AwsService,
    PoolDefinition,
    PublicIpSource,
    ScopeType,
)
from services.allocation.pending_cidr import OfferedProof, PendingCidr, VerificationMethod
from services.allocation.policy import PolicyDefinition, PolicyRules, Precedence
from services.allocation.pool import Usage
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service.allocating import Reservation, ResourceBlock
from services.allocation.service.auditing import Summary
from services.allocation.service.view import KnownPool, VpcCidr
from services.allocation.wanted_block import WantedBlock
from shared.cidr import AddressFamily, Cidr
from shared.rpc.enums import aws_enum_name, enum_number
from shared.tags import tags_from_proto, tags_from_specifications, tags_to_proto

_TYPE = pool_allocation_pb2.IpamPoolAllocationResourceType
_PRECEDENCE: Mapping[int, Precedence] = {
    ledger_pb.IPAM_POLICY_PRECEDENCE_UNSPECIFIED: Precedence.NONE,
    ledger_pb.IPAM_POLICY_PRECEDENCE_FIRST: Precedence.FIRST,
    ledger_pb.IPAM_POLICY_PRECEDENCE_ONLY: Precedence.ONLY,
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
    message.resource_type = TYPE_NUMBERS[allocation.resource_type]
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


def pending_cidr_to_proto(pending: PendingCidr) -> pool_cidr_pb2.IpamPoolCidr:
    """A CIDR that waits, or the reason why it does no longer."""
    failure = pending.failure
    message = pool_cidr_pb2.IpamPoolCidr(
        cidr=str(pending.cidr),
        state=pool_cidr_pb2.IPAM_POOL_CIDR_STATE_FAILED_PROVISION
        if failure
        else pool_cidr_pb2.IPAM_POOL_CIDR_STATE_PENDING_PROVISION,
        ipam_pool_cidr_id=pending.ipam_pool_cidr_id,
        netmask_length=pending.cidr.prefix_length,
    )
    if failure:
        message.failure_reason.message = failure.message
    if failure and failure.code:
        message.failure_reason.code = proto_number(
            pool_cidr_pb2.IpamPoolCidrFailureCode, failure.code
        )
    return message


def source_pool_to_proto(pool: PoolDefinition) -> ledger_pb.SourcePool:
    return ledger_pb.SourcePool(
        ipam_pool_id=pool.ipam_pool_id,
        ipam_region=pool.ipam_region,
        locale=pool.locale,
        ipam_scope_type=proto_number(types_pb2.IpamScopeType, pool.scope_type),
        public_ip_source=number_if_any(types_pb2.IpamPoolPublicIpSource, pool.public_ip_source),
        publicly_advertisable=pool.publicly_advertisable,
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
        source_resource_id=definition.source_resource_id or None,
        aws_service=(
            AwsService(aws_word(types_pb2.IpamPoolAwsService, definition.aws_service))
            if definition.aws_service
            else None
        ),
        publicly_advertisable=definition.publicly_advertisable,
        amazon_block_quota=_amazon_block_quota(definition),
        auto_import=definition.auto_import,
    )


def _amazon_block_quota(definition: ledger_pb.IpamPoolDefinition) -> AmazonBlockQuota | None:
    quota = definition.amazon_block_quota
    if not definition.HasField("amazon_block_quota"):
        return None
    return AmazonBlockQuota(quota.blocks, quota.min_netmask_length, quota.max_netmask_length)


def vpc_cidrs_from_proto(
    vpc_cidrs: Iterable[observation_pb.VpcCidr], parameter: str
) -> list[VpcCidr]:
    return [
        VpcCidr(
            vpc_id=one.vpc_id,
            cidr=Cidr.parse(one.cidr, parameter=f"{parameter}.{number}.cidr"),
            owner_id=one.owner_id,
            region=one.region,
        )
        for number, one in enumerate(vpc_cidrs, 1)
    ]


def vpc_cidr_to_proto(found: VpcCidr) -> observation_pb.VpcCidr:
    return observation_pb.VpcCidr(
        vpc_id=found.vpc_id, cidr=str(found.cidr), owner_id=found.owner_id, region=found.region
    )


def block_to_provision_from_proto(request: pb.ProvisionIpamPoolCidrRequest) -> WantedBlock:
    return WantedBlock.parse(
        cidr=given(request, "cidr"), netmask_length=given(request, "netmask_length")
    )


def proof_from_proto(request: pb.ProvisionIpamPoolCidrRequest) -> OfferedProof:
    context = request.cidr_authorization_context
    method = given(request, "verification_method")
    return OfferedProof(
        method=VerificationMethod(aws_word(pool_cidr_pb2.VerificationMethod, method))
        if method
        else None,
        has_context=request.HasField("cidr_authorization_context"),
        message=given(context, "message"),
        signature=given(context, "signature"),
        token_id=given(request, "ipam_external_resource_verification_token_id"),
    )


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
        vpc_id=request.vpc_id,
        network_border_group=request.network_border_group,
        precedence=_PRECEDENCE[request.ipam_policy_precedence],
    )


def policy_from_proto(definition: ledger_pb.IpamPolicyDefinition) -> PolicyDefinition:
    return PolicyDefinition(
        ipam_policy_id=definition.ipam_policy_id,
        version=definition.version,
        rules=[
            PolicyRules(
                locale=rules.locale,
                resource_type=ResourceType(aws_word(_TYPE, rules.resource_type)),
                ipam_pool_ids=list(rules.source_ipam_pool_ids),
            )
            for rules in definition.rules
        ],
        account_ids=definition.account_ids,
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


def number_if_any(enum_type: Any, word: str | None) -> Any:
    """The same, and the contract's word for nothing where there is none."""
    return proto_number(enum_type, word) if word else 0


# Looked up once, for every allocation comes through here.
TYPE_NUMBERS = {word: proto_number(_TYPE, word) for word in ResourceType}
