"""Wiring."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cadastre.network.v1 import (
    account_service_pb2_grpc,
    address_service_pb2_grpc,
    byoip_range_service_pb2_grpc,
    instance_service_pb2_grpc,
    inventory_service_pb2_grpc,
    network_service_pb2_grpc,
    prefix_list_service_pb2_grpc,
    prefix_list_sync_service_pb2_grpc,
    subnet_service_pb2_grpc,
    vpc_defaults_service_pb2_grpc,
)
from services.network import tables
from services.network.changes import Change
from services.network.clients import LedgerClient
from services.network.quotas import Quotas
from services.network.service.address_associations import AddressAssociations
from services.network.service.address_transfers import AddressTransfers
from services.network.service.addresses import Addresses
from services.network.service.byoip_ranges import ByoipRanges
from services.network.service.feed import Inventory
from services.network.service.instances import Instances
from services.network.service.interfaces import Interfaces
from services.network.service.prefix_list_syncing import PrefixListSyncing
from services.network.service.prefix_lists import PrefixLists
from services.network.service.public_ipv4_pools import PublicIpv4Pools
from services.network.service.subnets import Subnets
from services.network.service.tagging import Tagging
from services.network.service.undertaking import Undertakings
from services.network.service.vpc_defaults import VpcDefaults
from services.network.service.vpcs import Vpcs
from services.network.servicer.account import AccountServicer
from services.network.servicer.address import AddressServicer
from services.network.servicer.byoip_range import ByoipRangeServicer
from services.network.servicer.instance import InstanceServicer
from services.network.servicer.inventory import InventoryServicer
from services.network.servicer.network import NetworkServicer
from services.network.servicer.prefix_list import PrefixListServicer
from services.network.servicer.prefix_list_sync import PrefixListSyncServicer
from services.network.servicer.subnet import SubnetServicer
from services.network.servicer.vpc_defaults import VpcDefaultsServicer
from services.network.store.store import SqlStore
from services.network.store.tagged import TAGGED
from services.network.telemetry import NetworkTelemetry
from shared.feed import Bell
from shared.persistence.audit_trail import AuditTrail
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.persistence.tagged import TaggedTables
from shared.rpc.audit_trail import audited
from shared.rpc.client import Remote
from shared.rpc.quota_servicer import quota_binding
from shared.rpc.server import Binding, Runtime, background
from shared.rpc.tag_servicer import tag_binding

UNDOING_INTERVAL_SECONDS = 1.0


@asynccontextmanager
async def network(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve; what a former process left half done is undone from now on."""
    database = Database(runtime.settings.database_url_of("network"))
    try:
        await database.run(upgrade, database, "services.network")
        bell, telemetry = Bell(), NetworkTelemetry(runtime.registry)

        def tell(changes: Sequence[Change]) -> None:
            bell.ring()
            telemetry.changed(changes)

        store = SqlStore(database, on_change=tell)
        async with Remote.to("allocation", runtime.settings, runtime.signer) as remote:
            undertakings = Undertakings(store, LedgerClient(remote), _now)
            quotas = Quotas()
            vpcs = Vpcs(store, undertakings, quotas)
            days = runtime.settings.audit_retention_days
            trail = AuditTrail(database, tables.audit_events, retention_days=days)
            async with background(_undo_abandoned(undertakings, runtime, telemetry), trail.run()):
                bindings = [
                    *_bindings(vpcs, Tagging(store), Inventory(store, bell)),
                    *_subnet_bindings(store, undertakings, quotas),
                    *_address_bindings(store, undertakings, quotas),
                    *_prefix_list_bindings(store),
                    _vpc_defaults_binding(store),
                    _account_binding(quotas),
                    quota_binding(quotas),
                    tag_binding(TaggedTables(database, TAGGED)),
                ]
                yield audited(bindings, trail)
    finally:
        database.close()


def _bindings(vpcs: Vpcs, tagging: Tagging, inventory: Inventory) -> Sequence[Binding]:
    return [
        Binding(
            network_service_pb2_grpc.add_NetworkServiceServicer_to_server,
            NetworkServicer(vpcs, tagging),
            "cadastre.network.v1.NetworkService",
        ),
        Binding(
            inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
            InventoryServicer(inventory),
            "cadastre.network.v1.InventoryService",
        ),
    ]


def _subnet_bindings(
    store: SqlStore, undertakings: Undertakings, quotas: Quotas
) -> Sequence[Binding]:
    return [
        Binding(
            subnet_service_pb2_grpc.add_SubnetServiceServicer_to_server,
            SubnetServicer(Subnets(store, undertakings, quotas)),
            "cadastre.network.v1.SubnetService",
        ),
        Binding(
            instance_service_pb2_grpc.add_InstanceServiceServicer_to_server,
            InstanceServicer(Interfaces(store, _now), Instances(store, _now)),
            "cadastre.network.v1.InstanceService",
        ),
    ]


def _address_bindings(
    store: SqlStore, undertakings: Undertakings, quotas: Quotas
) -> Sequence[Binding]:
    return [
        Binding(
            address_service_pb2_grpc.add_AddressServiceServicer_to_server,
            AddressServicer(
                Addresses(store, undertakings, quotas),
                AddressAssociations(store),
                AddressTransfers(store, quotas, _now),
                PublicIpv4Pools(store, undertakings),
            ),
            "cadastre.network.v1.AddressService",
        ),
        Binding(
            byoip_range_service_pb2_grpc.add_ByoipRangeServiceServicer_to_server,
            ByoipRangeServicer(ByoipRanges(store, undertakings)),
            "cadastre.network.v1.ByoipRangeService",
        ),
    ]


def _prefix_list_bindings(store: SqlStore) -> Sequence[Binding]:
    return [
        Binding(
            prefix_list_service_pb2_grpc.add_PrefixListServiceServicer_to_server,
            PrefixListServicer(PrefixLists(store)),
            "cadastre.network.v1.PrefixListService",
        ),
        Binding(
            prefix_list_sync_service_pb2_grpc.add_PrefixListSyncServiceServicer_to_server,
            PrefixListSyncServicer(PrefixListSyncing(store)),
            "cadastre.network.v1.PrefixListSyncService",
        ),
    ]


def _vpc_defaults_binding(store: SqlStore) -> Binding:
    return Binding(
        vpc_defaults_service_pb2_grpc.add_VpcDefaultsServiceServicer_to_server,
        VpcDefaultsServicer(VpcDefaults(store)),
        "cadastre.network.v1.VpcDefaultsService",
    )


def _account_binding(quotas: Quotas) -> Binding:
    return Binding(
        account_service_pb2_grpc.add_AccountServiceServicer_to_server,
        AccountServicer(quotas),
        "cadastre.network.v1.AccountService",
    )


async def _undo_abandoned(
    undertakings: Undertakings, runtime: Runtime, telemetry: NetworkTelemetry
) -> None:
    while True:
        for failure in await undertakings.undo_abandoned():
            runtime.log.warning("undoing an allocation failed; it is tried again", exc_info=failure)
            telemetry.undoing_failed()
        telemetry.pending(await undertakings.pending())
        await asyncio.sleep(UNDOING_INTERVAL_SECONDS)


def _now() -> datetime:
    return datetime.now(UTC)
