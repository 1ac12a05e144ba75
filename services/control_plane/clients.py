"""The ledger, as this context knows it."""

from collections.abc import Collection, Sequence

from cadastre.allocation.v1 import ledger_service_pb2 as pb
from cadastre.allocation.v1 import (
    ledger_service_pb2_grpc,
    observation_service_pb2,
    observation_service_pb2_grpc,
    pool_allocation_pb2,
)
from cadastre.common.v1 import types_pb2
from services.control_plane.ipam import Ipam
from services.control_plane.ipam_policies.policy import IpamPolicy, ResourceType
from services.control_plane.messages import proto_number
from services.control_plane.pool import Pool, PublicIpSource, definition_version
from services.control_plane.source_resource import SeenVpc
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, DryRunOperation
from shared.rpc.client import Remote
from shared.tags import tags_to_proto

_POOLS_AT_ONCE = 1000
_SELF = Caller("", "", "service/control_plane", service="control_plane")


class LedgerClient:
    """`Ledger` over gRPC."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)
        self._observations = observation_service_pb2_grpc.ObservationServiceStub(remote.channel)

    async def put(self, ipam: Ipam, pool: Pool, shared_with: Collection[str]) -> None:
        definition = definition_to_proto(ipam, pool, shared_with)
        request = pb.PutIpamPoolRequest(definition=definition)
        await self._remote.call(self._stub.PutIpamPool, request, caller=_on_behalf_of(pool))

    async def put_policy(self, policy: IpamPolicy, account_ids: Collection[str]) -> None:
        definition = policy_definition_to_proto(policy, account_ids)
        request = pb.PutIpamPolicyRequest(definition=definition)
        caller = _as_owner(policy.owner_id, policy.ipam_region)
        await self._remote.call(self._stub.PutIpamPolicy, request, caller=caller)

    async def retire(self, pool: Pool, *, cascade: bool) -> None:
        request = pb.RetireIpamPoolRequest(ipam_pool_id=pool.ipam_pool_id, cascade=cascade)
        await self._remote.call(self._stub.RetireIpamPool, request, caller=_on_behalf_of(pool))

    async def foreign_allocations(self, ipam: Ipam, ipam_pool_ids: Sequence[str]) -> Sequence[str]:
        caller, found = _as_owner(ipam.owner_id, ipam.region), list[str]()
        for start in range(0, len(ipam_pool_ids), _POOLS_AT_ONCE):
            some = ipam_pool_ids[start : start + _POOLS_AT_ONCE]
            request = pb.ListForeignAllocationsRequest(ipam_pool_ids=some)
            answer = await self._remote.call(
                self._stub.ListForeignAllocations, request, caller=caller
            )
            found += answer.ipam_pool_allocation_ids
        return found

    async def seen_vpc(self, vpc_id: str) -> SeenVpc | None:
        request = observation_service_pb2.ListVpcCidrsRequest(vpc_ids=[vpc_id])
        # A VPC has less CIDRs than a page.
        answer = await self._remote.call(self._observations.ListVpcCidrs, request, caller=_SELF)
        found = answer.vpc_cidrs
        if not found:
            return None
        return SeenVpc(
            found[0].owner_id, found[0].region, [Cidr.parse(seen.cidr) for seen in found]
        )

    async def check_empty(self, pool: Pool) -> None:
        request = pb.RetireIpamPoolRequest(ipam_pool_id=pool.ipam_pool_id, dry_run=True)
        try:
            await self._remote.call(self._stub.RetireIpamPool, request, caller=_on_behalf_of(pool))
        except CadastreError as error:
            if error.reason != DryRunOperation.reason:
                raise


def definition_to_proto(
    ipam: Ipam, pool: Pool, shared_with: Collection[str]
) -> pb.IpamPoolDefinition:
    """A pool as the ledger needs to know it."""
    rules = pool.rules
    return pb.IpamPoolDefinition(
        ipam_pool_id=pool.ipam_pool_id,
        version=definition_version(ipam, pool),
        ipam_id=pool.ipam_id,
        ipam_scope_id=pool.ipam_scope_id,
        ipam_scope_type=proto_number(types_pb2.IpamScopeType, pool.scope_type),
        owner_id=pool.owner_id,
        ipam_region=pool.ipam_region,
        source_ipam_pool_id=pool.source_ipam_pool_id or "",
        address_family=proto_number(types_pb2.AddressFamily, pool.address_family.value),
        locale=pool.locale,
        allocation_min_netmask_length=rules.min_netmask_length,
        allocation_max_netmask_length=rules.max_netmask_length,
        allocation_default_netmask_length=rules.default_netmask_length,
        allocation_resource_tags=tags_to_proto(rules.resource_tags),
        auto_import=rules.auto_import,
        publicly_advertisable=bool(pool.publicly_advertisable),
        aws_service=proto_number(types_pb2.IpamPoolAwsService, pool.aws_service),
        public_ip_source=proto_number(types_pb2.IpamPoolPublicIpSource, pool.public_ip_source),
        enable_private_gua=ipam.enable_private_gua,
        cidr_quota=ipam.cidr_quota,
        shared_with=sorted(shared_with),
        source_resource_id=pool.source_resource.resource_id if pool.source_resource else "",
        amazon_block_quota=_amazon_block_quota_to_proto(ipam, pool),
    )


def policy_definition_to_proto(
    policy: IpamPolicy, account_ids: Collection[str]
) -> pb.IpamPolicyDefinition:
    """A policy as the ledger needs to know it: rules for what it gives addresses to."""
    return pb.IpamPolicyDefinition(
        ipam_policy_id=policy.ipam_policy_id,
        version=policy.version,
        rules=[
            pb.IpamPolicyRules(
                locale=document.locale,
                resource_type=pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_EIP,
                source_ipam_pool_ids=document.ipam_pool_ids,
            )
            for document in policy.documents
            if document.resource_type is ResourceType.EIP
        ],
        account_ids=sorted(account_ids),
    )


def _amazon_block_quota_to_proto(ipam: Ipam, pool: Pool) -> pb.AmazonBlockQuota | None:
    quota = ipam.amazon_block_quotas.get(pool.address_family)
    if quota is None or pool.public_ip_source is not PublicIpSource.AMAZON:
        return None
    return pb.AmazonBlockQuota(
        blocks=quota.blocks,
        min_netmask_length=quota.min_netmask_length,
        max_netmask_length=quota.max_netmask_length,
    )


def _on_behalf_of(pool: Pool) -> Caller:
    return _as_owner(pool.owner_id, pool.ipam_region)


def _as_owner(owner_id: str, region: str) -> Caller:
    return Caller(
        account_id=owner_id,
        region=region,
        principal="service/control_plane",
        service="control_plane",
    )
