"""The context on a real server over a real database, and callers of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from cadastre.allocation.v1 import (
    allocation_service_pb2,
    allocation_service_pb2_grpc,
    audit_service_pb2,
    audit_service_pb2_grpc,
    batch_service_pb2,
    batch_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    observation_service_pb2,
    observation_service_pb2_grpc,
    placement_service_pb2,
    placement_service_pb2_grpc,
    pool_allocation_pb2,
    public_space_service_pb2,
    public_space_service_pb2_grpc,
)
from cadastre.common.v1 import types_pb2
from services.allocation.server import allocation
from shared.caller import Caller
from shared.identity import TokenSigner, create_secret
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name, enum_number
from shared.rpc.server import running
from shared.settings import Settings

ACCOUNT, STRANGER = "123456789012", "210987654321"
HOME, WEST, ELSEWHERE = "us-east-1", "us-west-2", "eu-west-1"
IPAM = "ipam-00000000000000001"
SCOPE = "ipam-scope-00000000000000001"
UNKNOWN_POOL = "ipam-pool-ffffffffffffffff0"
UNKNOWN_ALLOCATION = "ipam-pool-alloc-" + "0" * 32

PUBLIC = {
    "ipam_scope_id": "ipam-scope-0000000000000000a",
    "ipam_scope_type": "public",
    "public_ip_source": "byoip",
    "aws_service": "ec2",
    "locale": WEST,
}
A_VPC = {
    "resource_type": pool_allocation_pb2.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_VPC,
    "resource_id": "vpc-00000000000000001",
    "resource_region": ELSEWHERE,
    "resource_owner": STRANGER,
}
SIGNED = {"cidr_authorization_context": {"message": "1|aws|...", "signature": "signed"}}

# Of all tests of a process, so that no two pools of one database share an id.
_numbers = count(1)


class Client:
    """Calls by name as one caller: ``await owner("GetIpamPoolCidrs", ipam_pool_id=pool)``."""

    def __init__(self, remote: Remote, caller: Caller, timeout_seconds: float) -> None:
        self._remote, self._caller, self._timeout_seconds = remote, caller, timeout_seconds
        self._stubs = (
            (
                allocation_service_pb2,
                allocation_service_pb2_grpc.AllocationServiceStub(remote.channel),
            ),
            (audit_service_pb2, audit_service_pb2_grpc.AuditServiceStub(remote.channel)),
            (batch_service_pb2, batch_service_pb2_grpc.BatchServiceStub(remote.channel)),
            (
                inventory_service_pb2,
                inventory_service_pb2_grpc.InventoryServiceStub(remote.channel),
            ),
            (ledger_service_pb2, ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)),
            (
                observation_service_pb2,
                observation_service_pb2_grpc.ObservationServiceStub(remote.channel),
            ),
            (
                placement_service_pb2,
                placement_service_pb2_grpc.PlacementServiceStub(remote.channel),
            ),
            (
                public_space_service_pb2,
                public_space_service_pb2_grpc.PublicSpaceServiceStub(remote.channel),
            ),
        )

    async def __call__(self, rpc: str, **members: Any) -> Any:
        [(module, stub)] = [found for found in self._stubs if hasattr(found[1], rpc)]
        request = getattr(module, f"{rpc}Request")(**members)
        return await self._remote.call(
            getattr(stub, rpc),
            request,
            caller=self._caller,
            timeout_seconds=self._timeout_seconds,
        )

    def stream(self, rpc: str, **members: Any) -> AsyncIterator[Any]:
        """The responses of a streaming call."""
        [(module, stub)] = [found for found in self._stubs if hasattr(found[1], rpc)]
        request = getattr(module, f"{rpc}Request")(**members)
        return self._remote.stream(getattr(stub, rpc), request, caller=self._caller)


class World:
    """Who calls a running ledger, and shorter words for what is called most."""

    def __init__(self, remote: Remote, *, timeout_seconds: float = 30) -> None:
        self.remote, self._timeout_seconds = remote, timeout_seconds
        self.owner = self.caller(ACCOUNT, HOME)
        self.west = self.caller(ACCOUNT, WEST)
        self.stranger = self.caller(STRANGER, HOME)
        self.control_plane = self.caller(ACCOUNT, HOME, "control_plane")
        self.network = self.caller(ACCOUNT, WEST, "network")
        self.discovery = self.caller("", HOME, "discovery")

    def caller(self, account_id: str, region: str, service: str = "") -> Client:
        caller = Caller(account_id, region, "tester", service=service)
        return Client(self.remote, caller, self._timeout_seconds)

    async def define(self, pool_id: str = "", **members: Any) -> str:
        """Make a pool known; a new one without ``pool_id``. Enums are in AWS's words."""
        pool_id = pool_id or f"ipam-pool-{next(_numbers):017x}"
        definition = ledger_service_pb2.IpamPoolDefinition(
            **_definition(pool_id, **members)  # type: ignore[arg-type]
        )
        await self.control_plane("PutIpamPool", definition=definition)
        return pool_id

    async def pool(self, *cidrs: str, **members: Any) -> str:
        """A new pool with CIDRs."""
        if cidrs and ":" in cidrs[0]:
            members.setdefault("address_family", "ipv6")
        pool_id = await self.define(**members)
        for cidr in cidrs:
            await self.provision(pool_id, cidr=cidr)
        return pool_id

    async def provision(self, pool_id: str, **members: Any) -> Any:
        answer = await self.owner("ProvisionIpamPoolCidr", ipam_pool_id=pool_id, **members)
        return answer.ipam_pool_cidr

    async def allocate(self, pool_id: str, **members: Any) -> Any:
        answer = await self.owner("AllocateIpamPoolCidr", ipam_pool_id=pool_id, **members)
        return answer.ipam_pool_allocation

    async def release(self, pool_id: str, allocation: Any) -> None:
        await self.owner(
            "ReleaseIpamPoolAllocation",
            ipam_pool_id=pool_id,
            cidr=allocation.cidr,
            ipam_pool_allocation_id=allocation.ipam_pool_allocation_id,
        )

    async def allocate_to_vpc(self, pool_id: str, token: str, **members: Any) -> Any:
        members = {
            "resource_type": "IPAM_POOL_ALLOCATION_RESOURCE_TYPE_VPC",
            "resource_id": "vpc-00000000000000001",
            "client_token": token,
            **members,
        }
        answer = await self.network("AllocateResourceCidr", ipam_pool_id=pool_id, **members)
        return answer.ipam_pool_allocation

    async def allocate_to(self, kind: str, pool_id: str, token: str, **members: Any) -> Any:
        """The whole answer to a request for a resource; ``kind`` is AWS's word for it."""
        types = pool_allocation_pb2.IpamPoolAllocationResourceType.DESCRIPTOR
        members = {"resource_id": f"{kind}-1", "client_token": token, **members}
        return await self.network(
            "AllocateResourceCidr",
            ipam_pool_id=pool_id,
            resource_type=enum_number(types, kind),
            **members,
        )

    async def public_pool(self, **members: Any) -> str:
        """A new top-level pool of a public scope whose ranges are brought along."""
        return await self.define(**{**PUBLIC, **members})

    async def bring(self, pool_id: str, cidr: str, **members: Any) -> Any:
        """Ask for a range with a signed proof; the CIDR as it waits."""
        return await self.provision(pool_id, cidr=cidr, **{**SIGNED, **members})

    async def proven(self, pool_id: str, *cidrs: str, **members: Any) -> list[Any]:
        """Ranges that are a public pool's, for control of them is proven."""
        found = [await self.bring(pool_id, cidr, **members) for cidr in cidrs]
        for pending in found:
            await self.conclude(pending)
        return found

    async def conclude(self, pending: Any, failure: str = "", **members: Any) -> None:
        await self.control_plane(
            "ConcludeProvision",
            ipam_pool_cidr_id=pending.ipam_pool_cidr_id,
            failure=failure,
            **members,
        )

    async def place(self, pool_id: str, **members: Any) -> Any:
        answer = await self.owner("ModifyIpamPoolPlacement", ipam_pool_id=pool_id, **members)
        return answer.ipam_pool_placement

    async def hold(self, pool_id: str, **members: Any) -> Any:
        answer = await self.owner("HoldIpamPoolCidr", ipam_pool_id=pool_id, **members)
        return answer.ipam_pool_hold

    async def observe(self, *cidrs: str, scope: str = SCOPE, resource_id: str = "vpc-1") -> None:
        observed = [{"cidr": cidr, "resource_id": resource_id} for cidr in cidrs]
        await self.discovery("ReportObservedCidrs", ipam_scope_id=scope, observed=observed)

    async def unavailable(self, pool_id: str) -> list[tuple[str, str]]:
        """CIDRs and why they can't be allocated."""
        answer = await self.owner("GetIpamPoolUnavailableCidrs", ipam_pool_id=pool_id)
        return [(one.cidr, word(one, "reason")) for one in answer.ipam_pool_unavailable_cidrs]

    async def import_all(self, *imports: Mapping[str, Any]) -> list[Any]:
        """Outcomes; what an import leaves out is of ``A_VPC``."""
        asked = [{**A_VPC, **one} for one in imports]
        answer = await self.discovery("ImportResourceCidrs", imports=asked)
        return list(answer.outcomes)

    async def import_one(self, pool_id: str, cidr: str, **members: Any) -> str:
        """The allocation's id, or the reason of the refusal."""
        [outcome] = await self.import_all({"ipam_pool_id": pool_id, "cidr": cidr, **members})
        return str(outcome.ipam_pool_allocation_id or outcome.reason)

    async def allocations(self, pool_id: str) -> list[Any]:
        answer = await self.owner("GetIpamPoolAllocations", ipam_pool_id=pool_id)
        return list(answer.ipam_pool_allocations)

    async def cidrs(self, pool_id: str) -> dict[str, str]:
        """States by CIDR."""
        answer = await self.owner("GetIpamPoolCidrs", ipam_pool_id=pool_id)
        return {found.cidr: word(found, "state") for found in answer.ipam_pool_cidrs}

    async def usage(self, pool_id: str) -> Any:
        answer = await self.control_plane("GetIpamPoolUsage", ipam_pool_ids=[pool_id])
        [usage] = answer.usages
        return usage


def settings_for(folder: Path, database_url: str) -> Settings:
    return Settings(data=folder, port=0, database_url=database_url)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[World]:
    """One process's worth of the ledger; several may share a PostgreSQL database."""
    secret = create_secret(settings.identity_secret_path)
    async with (
        running("allocation", allocation, settings) as server,
        Remote(server.address, signer=TokenSigner(secret)) as remote,
    ):
        yield World(remote)


def word(record: Any, member: str) -> str:
    """An enum member in AWS's word."""
    enum = record.DESCRIPTOR.fields_by_name[member].enum_type
    return aws_enum_name(enum, getattr(record, member))


def _definition(pool_id: str, **members: Any) -> dict[str, object]:
    defaults = {
        "ipam_pool_id": pool_id,
        "version": 1,
        "ipam_id": IPAM,
        "ipam_scope_id": SCOPE,
        "ipam_scope_type": "private",
        "owner_id": ACCOUNT,
        "ipam_region": HOME,
        "address_family": "ipv4",
        "locale": "None",
        "cidr_quota": 50,
    }
    merged = {**defaults, **members}
    for member, enum in (
        ("ipam_scope_type", types_pb2.IpamScopeType),
        ("address_family", types_pb2.AddressFamily),
        ("public_ip_source", types_pb2.IpamPoolPublicIpSource),
        ("aws_service", types_pb2.IpamPoolAwsService),
    ):
        if member in merged:
            merged[member] = enum_number(enum.DESCRIPTOR, str(merged[member])) or 0
    tags = dict(merged.pop("tags", {}))
    rule = [types_pb2.Tag(key=key, value=value) for key, value in tags.items()]
    return {**merged, "allocation_resource_tags": rule}
