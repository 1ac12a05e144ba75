"""The services that a check reads."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from cadastre.allocation.v1 import (
    audit_service_pb2,
    audit_service_pb2_grpc,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
)
from cadastre.control.v1 import inventory_service_pb2 as control_pb2
from cadastre.control.v1 import inventory_service_pb2_grpc as control_pb2_grpc
from cadastre.network.v1 import inventory_service_pb2 as network_pb2
from cadastre.network.v1 import inventory_service_pb2_grpc as network_pb2_grpc
from services.local.comparison import (
    Association,
    DefinedPool,
    Finding,
    HeldAllocation,
    LedgerPool,
)
from shared.caller import Caller
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_name

_SELF = Caller(account_id="", region="", principal="service/local", service="local")
_TIMEOUT_SECONDS = 60
_KIND = audit_service_pb2.LedgerFindingKind.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class Summary:
    """How much of the ledger was looked at."""

    pools_checked: int
    allocations_checked: int
    cidrs_checked: int


class LedgerClient:
    """The ledger's own check, and what it knows."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._audit = audit_service_pb2_grpc.AuditServiceStub(remote.channel)
        self._ledger = ledger_service_pb2_grpc.LedgerServiceStub(remote.channel)

    async def check(self, *, repair: bool, accept_loss: bool) -> AsyncIterator[Finding | Summary]:
        """Findings as they come, and the summary last."""
        request = audit_service_pb2.CheckLedgerRequest(repair=repair, accept_loss=accept_loss)
        async for told in self._remote.stream(self._audit.CheckLedger, request, caller=_SELF):
            if told.HasField("finding"):
                yield _finding(told.finding)
            else:
                summary = told.summary
                yield Summary(
                    summary.pools_checked, summary.allocations_checked, summary.cidrs_checked
                )

    async def pools(self) -> dict[str, LedgerPool]:
        request = audit_service_pb2.ListIpamPoolsRequest()
        return {
            pool.ipam_pool_id: LedgerPool(pool.definition_version, pool.is_retired)
            async for page in _pages(self._remote, self._audit.ListIpamPools, request)
            for pool in page.ipam_pools
        }

    async def held_allocations(self, service: str) -> dict[str, HeldAllocation]:
        """What a service allocated to its resources, by allocation id."""
        request = ledger_service_pb2.ListResourceAllocationsRequest(service=service)
        return {
            held.ipam_pool_allocation_id: HeldAllocation(
                held.cidr, held.resource_id, held.client_token
            )
            async for page in _pages(self._remote, self._ledger.ListResourceAllocations, request)
            for held in page.resource_allocations
        }


class NetworkClient:
    """The embedded cloud's CIDRs."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = network_pb2_grpc.InventoryServiceStub(remote.channel)

    async def associations(self) -> list[Association]:
        request = network_pb2.ListCidrAssociationsRequest()
        return [
            Association(
                found.association_id, found.resource_id, found.cidr, found.ipam_pool_allocation_id
            )
            async for page in _pages(self._remote, self._stub.ListCidrAssociations, request)
            for found in page.cidr_associations
        ]


class ControlPlaneClient:
    """The pools as they are defined."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = control_pb2_grpc.InventoryServiceStub(remote.channel)

    async def pools(self) -> dict[str, DefinedPool]:
        request = control_pb2.ListIpamPoolsRequest()
        return {
            pool.ipam_pool_id: DefinedPool(pool.definition_version, pool.is_changing)
            async for page in _pages(self._remote, self._stub.ListIpamPools, request)
            for pool in page.ipam_pools
        }


def _pages(remote: Remote, method: Any, request: Any) -> AsyncIterator[Any]:
    return remote.pages(method, request, caller=_SELF, timeout_seconds=_TIMEOUT_SECONDS)


def _finding(found: audit_service_pb2.LedgerFinding) -> Finding:
    return Finding(
        check="ledger",
        kind=aws_enum_name(_KIND, found.kind),
        message=found.message,
        ipam_pool_id=found.ipam_pool_id,
        record_ids=tuple(found.record_ids),
        cidrs=tuple(found.cidrs),
        repair=found.repair,
        is_repaired=found.is_repaired,
    )
