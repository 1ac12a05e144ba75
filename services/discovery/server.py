"""Wiring."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import grpc

from cadastre.discovery.billing.v1 import cost_explorer_service_pb2_grpc
from cadastre.discovery.v1 import (
    cost_service_pb2_grpc,
    discovery_service_pb2_grpc,
    monitoring_service_pb2_grpc,
    prefix_list_resolver_service_pb2_grpc,
    snapshot_service_pb2_grpc,
    usage_service_pb2_grpc,
)
from services.discovery.aws.settings import AwsSettings
from services.discovery.aws.source import AwsSource
from services.discovery.clients.access import ControlPlaneAccess
from services.discovery.clients.books import BooksClient
from services.discovery.clients.coverage import CoverageClient
from services.discovery.clients.embedded import LedgerChanges, LedgerClient, NetworkSource
from services.discovery.clients.network import NetworkSnapshots
from services.discovery.clients.prefix_lists import NetworkPrefixLists
from services.discovery.loops import Work, do_errands, follow, repeat, watch_coverage
from services.discovery.metering import HOUR, Pace
from services.discovery.quotas import Quotas
from services.discovery.service.agenda import Agenda
from services.discovery.service.costs import Tidying
from services.discovery.service.evaluating import Evaluator, Policy
from services.discovery.service.following import Discovery, LedgerFollower
from services.discovery.service.marking import Markings
from services.discovery.service.passes import Passes
from services.discovery.service.prefix_list_resolvers import PrefixListResolvers
from services.discovery.service.prefix_list_targets import PrefixListTargets
from services.discovery.service.resolver_rows import StepKind
from services.discovery.service.resolving import Resolving
from services.discovery.service.syncing import Syncing
from services.discovery.servicer.cost import CostServicer
from services.discovery.servicer.cost_explorer import CostExplorerServicer
from services.discovery.servicer.discovery import DiscoveryServicer
from services.discovery.servicer.monitoring import MonitoringServicer
from services.discovery.servicer.prefix_list_resolver import PrefixListResolverServicer
from services.discovery.servicer.snapshot import SnapshotServicer
from services.discovery.servicer.usage import UsageServicer
from services.discovery.settings import DiscoverySettings, PriceSettings
from services.discovery.store.costs import SqlUsages
from services.discovery.store.inventories import SqlInventories
from services.discovery.store.markings import SqlMarkings
from services.discovery.store.progress import SqlStore
from services.discovery.store.reading import SqlReader
from services.discovery.store.records import SqlRecords
from services.discovery.store.resolvers.store import SqlResolvers
from services.discovery.store.tagged import TAGGED
from services.discovery.store.usage import SqlUsage
from services.discovery.tables import outbox
from services.discovery.telemetry import DiscoveryTelemetry
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.persistence.outbox import Outbox
from shared.persistence.tagged import TaggedTables
from shared.rpc.client import Remote
from shared.rpc.quota_servicer import quota_binding
from shared.rpc.server import Binding, Runtime, background
from shared.rpc.tag_servicer import tag_binding

_AWAY = (CadastreError, grpc.aio.AioRpcError)
"""What a call ends with when the other service refuses, stops or breaks; all of it may pass."""


@dataclass(frozen=True, slots=True)
class _Peers:
    """The services that discovery asks."""

    control_plane: Remote
    allocation: Remote
    network: Remote


@dataclass(frozen=True, slots=True)
class PrefixListWork:
    """What prefix list resolvers are made of."""

    store: SqlResolvers
    prefix_lists: NetworkPrefixLists
    quotas: Quotas
    resolving: Resolving
    syncing: Syncing
    steps: Outbox


@asynccontextmanager
async def discovery(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve, following its sources and comparing now and then."""
    settings, own = runtime.settings, DiscoverySettings()
    database = Database(settings.database_url_of("discovery"))
    try:
        await database.run(upgrade, database, "services.discovery")
        store = SqlStore(database)
        for feed in (NetworkSource.name, LedgerFollower.NAME):
            await database.run(store.add_source, feed)
        async with (
            Remote.to("control_plane", settings, runtime.signer) as control_plane,
            Remote.to("allocation", settings, runtime.signer) as allocation,
            Remote.to("network", settings, runtime.signer) as network,
        ):
            peers = _Peers(control_plane, allocation, network)
            aws = AwsSource(AwsSettings(), _now)
            try:
                lists = prefix_list_work(database, peers.network, _now)
                work = _work(runtime, database, store, peers, aws, own, lists)
                tidying = Tidying(SqlUsages(database), _now)
                async with background(
                    follow(work.orphans, work),
                    follow(work.ledger, work),
                    repeat(work.release_orphans, settings.discovery_interval_seconds, work),
                    repeat(work.run_passes, settings.discovery_interval_seconds, work),
                    repeat(lists.syncing.look_again, settings.discovery_interval_seconds, work),
                    repeat(tidying.tidy, HOUR.total_seconds(), work),
                    lists.steps.run(),
                    do_errands(work),
                    watch_coverage(work, own.coverage_interval_seconds),
                ):
                    yield _bindings(work, database, peers, lists)
            finally:
                await asyncio.to_thread(aws.close)
    finally:
        database.close()


def prefix_list_work(
    database: Database, network: Remote, clock: Callable[[], datetime]
) -> PrefixListWork:
    """All that belongs together; its steps are yet to be run."""

    def kick() -> None:
        steps.kick()

    store = SqlResolvers(database, on_steps=kick)
    prefix_lists, quotas = NetworkPrefixLists(network), Quotas()
    syncing = Syncing(store, prefix_lists)
    steps = Outbox(
        database,
        outbox,
        store.handlers(
            {
                StepKind.ATTACH: syncing.attach,
                StepKind.SYNC: syncing.sync,
                StepKind.DETACH: syncing.detach,
            }
        ),
    )
    resolving = Resolving(store, quotas, clock)
    return PrefixListWork(store, prefix_lists, quotas, resolving, syncing, steps)


def prefix_list_binding(
    lists: PrefixListWork, access: ControlPlaneAccess, on_new_rules: Callable[[str], object]
) -> Binding:
    """``on_new_rules`` is told of IPAMs that are to be evaluated at once."""
    return Binding(
        prefix_list_resolver_service_pb2_grpc.add_PrefixListResolverServiceServicer_to_server,
        PrefixListResolverServicer(
            PrefixListResolvers(access, lists.store, lists.quotas, on_new_rules),
            PrefixListTargets(lists.prefix_lists, lists.store, lists.quotas),
        ),
        "cadastre.discovery.v1.PrefixListResolverService",
    )


def _work(
    runtime: Runtime,
    database: Database,
    store: SqlStore,
    peers: _Peers,
    aws: AwsSource,
    own: DiscoverySettings,
    lists: PrefixListWork,
) -> Work:
    agenda, books = Agenda(), BooksClient(peers.allocation)
    ledger = LedgerClient(peers.allocation)
    policy = Policy(unknown=own.unknown_policy, reclaimable=own.reclaimable_policy)
    return Work(
        orphans=Discovery(
            NetworkSource(peers.network), ledger, store, _now, on_change=agenda.look_at
        ),
        ledger=LedgerFollower(
            LedgerChanges(peers.allocation), store, on_change=agenda.evaluate_all
        ),
        passes=Passes(
            CoverageClient(peers.control_plane),
            [NetworkSnapshots(peers.network, _now), aws],
            SqlInventories(database),
            Evaluator(
                books,
                SqlRecords(database, _pace_of(runtime)),
                _now,
                policy,
                follower=lists.resolving,
            ),
            _now,
            _AWAY,
        ),
        agenda=agenda,
        away=_AWAY,
        log=runtime.log,
        telemetry=DiscoveryTelemetry(runtime.registry),
    )


def _pace_of(runtime: Runtime) -> Pace:
    """A pass or two may fail, and what was read still hold."""
    passes = timedelta(seconds=3 * runtime.settings.discovery_interval_seconds)
    return Pace(longest=max(HOUR, passes))


def cost_bindings(
    access: ControlPlaneAccess,
    database: Database,
    clock: Callable[[], datetime],
    price: Decimal,
) -> Sequence[Binding]:
    """``price`` is that of an active-IP hour, in US dollars."""
    usages = SqlUsages(database)
    return [
        Binding(
            cost_service_pb2_grpc.add_CostServiceServicer_to_server,
            CostServicer(usages, clock),
            "cadastre.discovery.v1.CostService",
        ),
        Binding(
            cost_explorer_service_pb2_grpc.add_CostExplorerServiceServicer_to_server,
            CostExplorerServicer(access, usages, clock, price),
            "cadastre.discovery.billing.v1.CostExplorerService",
        ),
    ]


def _bindings(
    work: Work, database: Database, peers: _Peers, lists: PrefixListWork
) -> Sequence[Binding]:
    access = ControlPlaneAccess(peers.control_plane)
    markings = Markings(access, SqlMarkings(database), _now, on_marked=work.agenda.evaluate)
    return [
        Binding(
            discovery_service_pb2_grpc.add_DiscoveryServiceServicer_to_server,
            DiscoveryServicer(work.orphans, work.run_pass),
            "cadastre.discovery.v1.DiscoveryService",
        ),
        Binding(
            snapshot_service_pb2_grpc.add_SnapshotServiceServicer_to_server,
            SnapshotServicer(SqlInventories(database), _now, on_changed=work.agenda.look_at),
            "cadastre.discovery.v1.SnapshotService",
        ),
        Binding(
            monitoring_service_pb2_grpc.add_MonitoringServiceServicer_to_server,
            MonitoringServicer(access, SqlReader(database), markings, _now),
            "cadastre.discovery.v1.MonitoringService",
        ),
        prefix_list_binding(lists, access, work.agenda.evaluate),
        *cost_bindings(access, database, _now, PriceSettings().active_ip_hour_price_usd),
        Binding(
            usage_service_pb2_grpc.add_UsageServiceServicer_to_server,
            UsageServicer(CoverageClient(peers.control_plane), SqlUsage(database)),
            "cadastre.discovery.v1.UsageService",
        ),
        quota_binding(lists.quotas),
        tag_binding(TaggedTables(database, TAGGED)),
    ]


def _now() -> datetime:
    return datetime.now(UTC)
