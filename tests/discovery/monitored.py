"""What discovery knows, put straight into its database, and the two services that tell it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import (
    control_service_pb2,
    control_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
    ipam_pb2,
    ipam_scope_pb2,
    resource_discovery_service_pb2,
    resource_discovery_service_pb2_grpc,
)
from cadastre.discovery.v1 import monitoring_service_pb2_grpc, usage_service_pb2_grpc
from services.discovery import tables
from services.discovery.clients.access import ControlPlaneAccess
from services.discovery.clients.coverage import CoverageClient
from services.discovery.public_address import PublicAddress
from services.discovery.service.marking import Markings
from services.discovery.servicer.monitoring import MonitoringServicer
from services.discovery.servicer.usage import UsageServicer
from services.discovery.store.markings import SqlMarkings
from services.discovery.store.public_address_rows import to_row
from services.discovery.store.reading import SqlReader
from services.discovery.store.usage import SqlUsage
from shared.caller import Caller
from shared.cidr import Cidr
from shared.ids import IPAM_RESOURCE_DISCOVERY, IPAM_SCOPE
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, caller_of, running
from tests.discovery.fake_control_plane import FakeControlPlane
from tests.network.support import SERVICE, Client, settings_for

OWNER, MEMBER, STRANGER = "123456789012", "222222222222", "999999999999"
HOME, WEST = "us-east-1", "us-west-2"
IPAM, OTHER_IPAM = "ipam-00000000000000001", "ipam-00000000000000002"
PRIVATE, SECOND, PUBLIC, FOREIGN, OTHERS = (f"ipam-scope-0000000000000000{n}" for n in range(1, 6))
"""Of `IPAM` two private scopes and the public one; of another IPAM of its owner; of a stranger."""
POOL = "ipam-pool-00000000000000001"
DISCOVERY = "ipam-res-disco-00000000000000001"
VPC, SUBNET, ENI, INSTANCE = "vpc-00000001", "subnet-00000001", "eni-00000001", "i-00000001"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

_numbers = count(1)
_SCOPES = {
    PRIVATE: (OWNER, IPAM, types_pb2.IPAM_SCOPE_TYPE_PRIVATE),
    SECOND: (OWNER, IPAM, types_pb2.IPAM_SCOPE_TYPE_PRIVATE),
    PUBLIC: (OWNER, IPAM, types_pb2.IPAM_SCOPE_TYPE_PUBLIC),
    FOREIGN: (OWNER, OTHER_IPAM, types_pb2.IPAM_SCOPE_TYPE_PRIVATE),
    OTHERS: (STRANGER, OTHER_IPAM, types_pb2.IPAM_SCOPE_TYPE_PRIVATE),
}


def at(hour: float, day: int = 1) -> datetime:
    """A time of March 2026."""
    return datetime(2026, 3, day, int(hour), round(hour % 1 * 60), tzinfo=UTC)


def as_account(account_id: str, region: str = HOME) -> Caller:
    return Caller(account_id, region, f"arn:aws:iam::{account_id}:user/tester")


def record_values(
    resource_type: str, resource_id: str, cidr: str, row_id: int = 0, **members: Any
) -> dict[str, Any]:
    """What a resource's CIDR is to `IPAM`, in `PRIVATE` and since long."""
    block = Cidr.parse(cidr)
    is_managed = resource_type in {"vpc", "eip", "public-ipv4-pool"}
    states = {
        "management_state": "unmanaged",
        "compliance_status": "unmanaged",
        "overlap_status": "nonoverlapping",
    }
    return {
        "ipam_id": IPAM,
        "ipam_scope_id": PRIVATE,
        "inventory_id": 1,
        # What has no row is told apart from all others.
        "row_id": row_id or -next(_numbers),
        "is_monitored": resource_type not in {"eni", "instance"},
        "resource_type": resource_type,
        "resource_id": resource_id,
        "owner_id": OWNER,
        "region": HOME,
        "first_address": block.first_key,
        "prefix_length": block.prefix_length,
        "vpc_id": resource_id if resource_type == "vpc" else VPC,
        "broken_rules": "",
        "started_at": at(0),
        **(states if is_managed else {}),
        **members,
    }


def cidr_values(
    inventory_id: int, resource_type: str, resource_id: str, cidr: str
) -> dict[str, Any]:
    """A resource's CIDR, as a snapshot tells it."""
    block = Cidr.parse(cidr)
    return {
        "inventory_id": inventory_id,
        "is_monitored": resource_type not in {"eni", "instance"},
        "resource_type": resource_type,
        "anchor_id": resource_id,
        "first_address": block.first_key,
        "prefix_length": block.prefix_length,
        "fingerprint": b"",
        "resource_id": resource_id,
        "owner_id": OWNER,
        "tags": {},
        "ip_source": "none",
    }


class FakeScopes(control_service_pb2_grpc.ControlPlaneServiceServicer):
    """Tells each account of its own scopes, in their home region."""

    async def DescribeIpamScopes(self, request: Any, context: Any) -> Any:
        [scope_id] = request.ipam_scope_ids
        caller = caller_of(context)
        owner_id, ipam_id, scope_type = _SCOPES.get(scope_id, ("", "", 0))
        if (owner_id, HOME) != (caller.account_id, caller.region):
            raise IPAM_SCOPE.unknown(scope_id)
        scope = ipam_scope_pb2.IpamScope(
            owner_id=owner_id,
            ipam_scope_id=scope_id,
            ipam_arn=f"arn:aws:ec2::{owner_id}:ipam/{ipam_id}",
            ipam_region=HOME,
            ipam_scope_type=scope_type,  # type: ignore[arg-type] # one of the enumeration
        )
        return control_service_pb2.DescribeIpamScopesResponse(ipam_scopes=[scope])


class FakeDiscoveries(resource_discovery_service_pb2_grpc.ResourceDiscoveryServiceServicer):
    """One resource discovery of `OWNER`'s, shared with ``shared_with``."""

    def __init__(self) -> None:
        self.shared_with: set[str] = set()

    async def DescribeIpamResourceDiscoveries(self, request: Any, context: Any) -> Any:
        [discovery_id] = request.ipam_resource_discovery_ids
        if discovery_id != DISCOVERY or caller_of(context).account_id not in {
            OWNER,
            *self.shared_with,
        }:
            raise IPAM_RESOURCE_DISCOVERY.unknown(discovery_id)
        pb = resource_discovery_service_pb2
        found = pb.IpamResourceDiscovery(
            owner_id=OWNER,
            ipam_resource_discovery_id=discovery_id,
            operating_regions=[
                ipam_pb2.IpamOperatingRegion(region_name=region) for region in (HOME, WEST)
            ],
        )
        return pb.DescribeIpamResourceDiscoveriesResponse(ipam_resource_discoveries=[found])


def listed_discovery(**members: Any) -> inventory_service_pb2.ListedResourceDiscovery:
    """`DISCOVERY`, as `IPAM` sees through it, but for ``members``."""
    return inventory_service_pb2.ListedResourceDiscovery(
        **{
            "ipam_id": IPAM,
            "ipam_owner_id": OWNER,
            "region": HOME,
            "ipam_resource_discovery_association_id": "ipam-res-disco-assoc-00000000000000001",
            "ipam_resource_discovery_id": DISCOVERY,
            "owner_id": OWNER,
            "operating_regions": [HOME, WEST],
            "account_ids": [OWNER, MEMBER],
            "organizational_unit_ids": ["", "ou-ab12-00000001"],
            **members,
        }
    )


@dataclass
class Known:
    """A running server, and what its database is filled with."""

    database: Database
    monitoring: Client
    usage: Client
    control: FakeControlPlane
    discoveries: FakeDiscoveries
    marked: list[str]
    """IPAMs that were to be evaluated at once."""
    now: list[datetime]
    """The last one is what the server's clock says."""

    async def ask(self, request: Any, account_id: str = OWNER, region: str = HOME) -> Any:
        return await self.monitoring.call(request, caller=as_account(account_id, region))

    async def figures(self, request: Any) -> Any:
        return await self.usage.call(request, caller=SERVICE)

    def inventory(
        self,
        account_id: str = OWNER,
        region: str = HOME,
        source: str = "network",
        **members: Any,
    ) -> int:
        """One of whom all went well at `NOW`, unless ``members`` say otherwise; its number."""
        return self._insert(
            tables.inventories,
            {
                "source": source,
                "account_id": account_id,
                "region": region,
                "last_attempted_at": NOW,
                "last_successful_at": NOW,
                "active_ip_count": 0,
                "version": 1,
                **members,
            },
        )

    def there(
        self, inventory_id: int, resource_type: str, resource_id: str, cidr: str, **members: Any
    ) -> int:
        """What `cidr_values` says; its row."""
        values = cidr_values(inventory_id, resource_type, resource_id, cidr)
        return self._insert(tables.resource_cidrs, {**values, **members})

    def record(self, *what: Any, **members: Any) -> int:
        """What `record_values` says; its number."""
        return self._insert(tables.records, record_values(*what, **members))

    def public_address(self, inventory_id: int, address: PublicAddress) -> None:
        self._insert(tables.public_addresses, to_row(inventory_id, address))

    def evaluated(self, version: int = 1) -> None:
        """`IPAM` was evaluated so often."""
        self._insert(tables.evaluations, {"ipam_id": IPAM, "version": version})

    def insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        with self.database.write() as connection:
            connection.execute(table.insert(), list(rows))

    def rows(self, table: sa.Table) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key)))

    def _insert(self, table: sa.Table, values: Mapping[str, Any]) -> int:
        with self.database.write() as connection:
            key: int = connection.execute(table.insert().values(values)).inserted_primary_key[0]  # type: ignore[index]
        return key


@asynccontextmanager
async def serving(database_url: str, folder: Path) -> AsyncIterator[Known]:
    settings = settings_for(folder)
    control = FakeControlPlane()
    discoveries = FakeDiscoveries()  # type: ignore[abstract] # all that is asked is there
    control.ipams = [
        inventory_service_pb2.ListedIpam(
            ipam_id=IPAM,
            owner_id=OWNER,
            region=HOME,
            private_default_scope_id=PRIVATE,
            public_default_scope_id=PUBLIC,
            private_scope_ids=[PRIVATE, SECOND],
            public_scope_ids=[PUBLIC],
        )
    ]
    control.resource_discoveries = [listed_discovery()]
    database = Database(database_url)
    marked: list[str] = []
    now = [NOW]

    @asynccontextmanager
    async def build_control(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                control_service_pb2_grpc.add_ControlPlaneServiceServicer_to_server,
                FakeScopes(),  # type: ignore[abstract] # all that is asked is there
                "cadastre.control.v1.ControlPlaneService",
            ),
            Binding(
                resource_discovery_service_pb2_grpc.add_ResourceDiscoveryServiceServicer_to_server,
                discoveries,
                "cadastre.control.v1.ResourceDiscoveryService",
            ),
            Binding(
                inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                control,
                "cadastre.control.v1.InventoryService",
            ),
        ]

    @asynccontextmanager
    async def build(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        async with Remote(address, signer=runtime.signer) as control_plane:
            access = ControlPlaneAccess(control_plane)
            markings = Markings(access, SqlMarkings(database), lambda: now[-1], marked.append)
            yield [
                Binding(
                    monitoring_service_pb2_grpc.add_MonitoringServiceServicer_to_server,
                    MonitoringServicer(access, SqlReader(database), markings, lambda: now[-1]),
                    "cadastre.discovery.v1.MonitoringService",
                ),
                Binding(
                    usage_service_pb2_grpc.add_UsageServiceServicer_to_server,
                    UsageServicer(CoverageClient(control_plane), SqlUsage(database)),
                    "cadastre.discovery.v1.UsageService",
                ),
            ]

    try:
        await database.run(upgrade, database, "services.discovery")
        async with running("control_plane", build_control, settings) as control_server:
            address = control_server.address
            async with running("discovery", build, settings) as server:
                monitoring = Client(
                    server.address, settings, monitoring_service_pb2_grpc.MonitoringServiceStub
                )
                usage = Client(server.address, settings, usage_service_pb2_grpc.UsageServiceStub)
                try:
                    yield Known(database, monitoring, usage, control, discoveries, marked, now)
                finally:
                    await monitoring.close()
                    await usage.close()
    finally:
        database.close()
