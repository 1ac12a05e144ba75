"""What figures are collected of, as gRPC services in one process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from cadastre.allocation.v1 import (
    audit_service_pb2,
    audit_service_pb2_grpc,
    inventory_service_pb2_grpc,
    ledger_service_pb2,
)
from cadastre.allocation.v1 import inventory_service_pb2 as allocation_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import inventory_service_pb2 as control_pb2
from cadastre.control.v1 import inventory_service_pb2_grpc as control_pb2_grpc
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from cadastre.discovery.v1 import usage_service_pb2, usage_service_pb2_grpc
from shared.errors import ServiceUnavailable
from shared.rpc.server import Binding, Runtime, running
from shared.settings import Settings
from tests.acceptance.installation import free_base_port
from tests.network.support import settings_for

IPAM_ID, OWNER, REGION = "ipam-0123456789abcdef0", "123456789012", "us-east-1"
PUBLIC, PRIVATE = "ipam-scope-0123456789abcdef0", "ipam-scope-0123456789abcdef1"
IPV4, IPV6 = types_pb2.ADDRESS_FAMILY_IPV4, types_pb2.ADDRESS_FAMILY_IPV6

FINDINGS = [
    audit_service_pb2.LEDGER_FINDING_KIND_MALFORMED_BLOCK,
    audit_service_pb2.LEDGER_FINDING_KIND_WRONG_USAGE,
    audit_service_pb2.LEDGER_FINDING_KIND_WRONG_USAGE,
]
OF_A_LATER_VERSION = cast("monitoring.IpamResourceType.ValueType", 4711)


def pool_id(number: int) -> str:
    return f"ipam-pool-{number:017x}"


def listed_ipam(**members: Any) -> control_pb2.ListedIpam:
    return control_pb2.ListedIpam(
        **{
            "ipam_id": IPAM_ID,
            "owner_id": OWNER,
            "region": REGION,
            "public_scope_ids": [PUBLIC],
            "private_scope_ids": [PRIVATE],
            "operating_regions": [REGION],
            **members,
        }
    )


def pool_usage(number: int, **definition: Any) -> allocation_pb2.PoolUsageRecord:
    """A /24, a quarter of which is allocated to other pools, and an eighth to resources."""
    return allocation_pb2.PoolUsageRecord(
        definition=ledger_service_pb2.IpamPoolDefinition(
            **{
                "ipam_pool_id": pool_id(number),
                "ipam_id": IPAM_ID,
                "ipam_scope_id": PRIVATE,
                "ipam_scope_type": types_pb2.IPAM_SCOPE_TYPE_PRIVATE,
                "owner_id": OWNER,
                "address_family": IPV4,
                "locale": REGION,
                **definition,
            }
        ),
        usage=ledger_service_pb2.IpamPoolUsage(
            total_addresses="256",
            allocated_addresses="64",
            assigned_addresses="32",
            cidr_count=1,
            allocation_count=2,
        ),
        free_block_count=2,
        largest_free_netmask_length=25,
        free_addresses="160",
    )


class FakeControlPlane(control_pb2_grpc.InventoryServiceServicer):
    """``ipams`` are all there are, one on a page."""

    def __init__(self) -> None:
        self.ipams, self.asked, self.is_down = [listed_ipam()], 0, False

    async def ListIpams(self, request: Any, context: Any) -> Any:
        self.asked += 1
        _refuse_if(self.is_down)
        at = int(request.next_token or 0)
        token = str(at + 1) if at + 1 < len(self.ipams) else None
        return control_pb2.ListIpamsResponse(ipams=self.ipams[at : at + 1], next_token=token)

    async def ListIpamPools(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListResourceDiscoveries(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListOrganizations(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListByoipRoutes(self, request: Any, context: Any) -> Any:
        raise NotImplementedError


class FakeLedger(
    inventory_service_pb2_grpc.InventoryServiceServicer,
    audit_service_pb2_grpc.AuditServiceServicer,
):
    """``pools`` are all there are, one on a page."""

    def __init__(self) -> None:
        self.pools, self.findings = [pool_usage(1), pool_usage(2)], FINDINGS
        self.is_down, self.is_cut_off = False, False
        self.asked = self.checks = 0

    async def ListPoolUsages(self, request: Any, context: Any) -> Any:
        self.asked += 1
        _refuse_if(self.is_down)
        at = int(request.next_token or 0)
        mine = [pool for pool in self.pools if pool.definition.ipam_id == request.ipam_id]
        token = str(at + 1) if at + 1 < len(mine) else None
        page = mine[at : at + 1]
        return allocation_pb2.ListPoolUsagesResponse(pool_usages=page, next_token=token)

    async def CheckLedger(self, request: Any, context: Any) -> Any:
        assert not request.repair
        self.checks += 1
        for kind in self.findings:
            finding = audit_service_pb2.LedgerFinding(kind=kind)
            yield audit_service_pb2.CheckLedgerResponse(finding=finding)
        if not self.is_cut_off:
            summary = audit_service_pb2.LedgerCheckSummary(findings=len(self.findings))
            yield audit_service_pb2.CheckLedgerResponse(summary=summary)

    async def ListPools(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListAllocations(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ImportResourceCidrs(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListIpamPools(self, request: Any, context: Any) -> Any:
        raise NotImplementedError


class FakeDiscovery(usage_service_pb2_grpc.UsageServiceServicer):
    """``vpcs`` are all there are, with their usage, one on a page."""

    def __init__(self) -> None:
        self.vpcs = {"vpc-1": 0.5, "vpc-2": 0.25}
        self.is_down, self.listings = False, 0
        self.chosen: list[tuple[int, int, int]] = []

    async def GetIpamUsage(self, request: Any, context: Any) -> Any:
        _refuse_if(self.is_down)
        return usage_service_pb2.GetIpamUsageResponse(
            active_ip_counts=[usage_service_pb2.ActiveIpCount(account_id=OWNER, count=5)],
            public_address_counts=[
                usage_service_pb2.PublicAddressCount(
                    region=REGION,
                    address_type=monitoring.IPAM_PUBLIC_ADDRESS_TYPE_EC2_PUBLIC_IP,
                    association_status=monitoring.IPAM_PUBLIC_ADDRESS_ASSOCIATION_STATUS_ASSOCIATED,
                    count=3,
                )
            ],
        )

    async def ListResourceCidrCounts(self, request: Any, context: Any) -> Any:
        of_vpcs = usage_service_pb2.ResourceCidrCount(
            ipam_scope_id=PRIVATE,
            address_family=IPV4,
            ipam_pool_id=pool_id(1),
            resource_type=monitoring.IPAM_RESOURCE_TYPE_VPC,
            management_state=monitoring.IPAM_MANAGEMENT_STATE_MANAGED,
            compliance_status=monitoring.IPAM_COMPLIANCE_STATUS_NONCOMPLIANT,
            overlap_status=monitoring.IPAM_OVERLAP_STATUS_NONOVERLAPPING,
            count=len(self.vpcs),
        )
        # What has no usage, and what a later version may tell.
        others = [
            usage_service_pb2.ResourceCidrCount(
                ipam_scope_id=PUBLIC, address_family=IPV4, resource_type=resource_type, count=1
            )
            for resource_type in (monitoring.IPAM_RESOURCE_TYPE_EIP, OF_A_LATER_VERSION)
        ]
        return usage_service_pb2.ListResourceCidrCountsResponse(counts=[of_vpcs, *others])

    async def ListResourceUtilization(self, request: Any, context: Any) -> Any:
        self._check_group(request)
        self.chosen.append((request.highest, request.lowest, request.allocated))
        return usage_service_pb2.ListResourceUtilizationResponse(
            utilizations=[self._utilization(vpc_id) for vpc_id in self.vpcs]
        )

    async def ListResourceUsages(self, request: Any, context: Any) -> Any:
        self._check_group(request)
        self.listings += 1
        at, vpcs = int(request.next_token or 0), list(self.vpcs)
        return usage_service_pb2.ListResourceUsagesResponse(
            utilizations=[self._utilization(vpcs[at])],
            next_token=str(at + 1) if at + 1 < len(vpcs) else None,
        )

    async def GetCidrMap(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    async def ListDiscrepancies(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    def _check_group(self, request: Any) -> None:
        group = (request.ipam_scope_id, request.resource_type, request.address_family)
        assert group == (PRIVATE, monitoring.IPAM_RESOURCE_TYPE_VPC, IPV4)

    def _utilization(self, vpc_id: str) -> usage_service_pb2.ResourceUtilization:
        return usage_service_pb2.ResourceUtilization(
            resource_id=vpc_id,
            owner_id=OWNER,
            region=REGION,
            vpc_id=vpc_id,
            ip_usage=self.vpcs[vpc_id],
            total_addresses="65536",
        )


class FakeServices:
    """All of them; each may be changed while they run."""

    def __init__(self) -> None:
        self.control_plane = FakeControlPlane()
        self.ledger = FakeLedger()
        self.discovery = FakeDiscovery()

    @asynccontextmanager
    async def serving(self, folder: Path) -> AsyncIterator[Settings]:
        """Settings of a metrics service that asks them."""
        async with running("allocation", self._build, settings_for(folder)) as server:
            addresses = dict.fromkeys(("control_plane", "allocation", "discovery"), server.address)
            settings = settings_for(folder, addresses=addresses)
            yield settings.model_copy(update={"port": free_base_port()})

    @asynccontextmanager
    async def _build(self, _runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                control_pb2_grpc.add_InventoryServiceServicer_to_server,
                self.control_plane,
                "cadastre.control.v1.InventoryService",
            ),
            Binding(
                inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                self.ledger,
                "cadastre.allocation.v1.InventoryService",
            ),
            Binding(
                audit_service_pb2_grpc.add_AuditServiceServicer_to_server,
                self.ledger,
                "cadastre.allocation.v1.AuditService",
            ),
            Binding(
                usage_service_pb2_grpc.add_UsageServiceServicer_to_server,
                self.discovery,
                "cadastre.discovery.v1.UsageService",
            ),
        ]


def _refuse_if(is_down: bool) -> None:
    if is_down:
        raise ServiceUnavailable("it is down")
