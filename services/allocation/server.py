"""Wiring."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from cadastre.allocation.v1 import (
    allocation_service_pb2_grpc,
    audit_service_pb2_grpc,
    batch_service_pb2_grpc,
    inventory_service_pb2_grpc,
    ledger_service_pb2_grpc,
    observation_service_pb2_grpc,
    placement_service_pb2_grpc,
    public_space_service_pb2_grpc,
)
from services.allocation import tables
from services.allocation.errors import ChangesLost
from services.allocation.public_ranges import PublicRanges
from services.allocation.service.auditing import Audit
from services.allocation.service.feed import Feed
from services.allocation.service.ledger import Ledger
from services.allocation.service.public_space import PublicSpace
from services.allocation.service.ranges_at_start import adjust_system_pools
from services.allocation.servicer.allocation import AllocationServicer
from services.allocation.servicer.audit import AuditServicer
from services.allocation.servicer.batch import BatchServicer
from services.allocation.servicer.inventory import InventoryServicer
from services.allocation.servicer.ledger import LedgerServicer
from services.allocation.servicer.observation import ObservationServicer
from services.allocation.servicer.placement import PlacementServicer
from services.allocation.servicer.public_space import PublicSpaceServicer
from services.allocation.store.audit.books import SqlBooks
from services.allocation.store.feed import SqlFeed
from services.allocation.store.journal_keeper import JournalKeeper, journal_of
from services.allocation.store.observed import SqlObservations
from services.allocation.store.policies import SqlPolicies
from services.allocation.store.reader import SqlAnnotator, SqlReader
from services.allocation.store.recovery import SqlRecovery
from services.allocation.store.tagged import TAGGED
from services.allocation.store.token_pruning import TokenPruning
from services.allocation.store.vpc_cidrs import SqlVpcObservations
from services.allocation.store.writer import SqlWriter
from services.allocation.telemetry import LedgerTelemetry
from shared.feed import Bell
from shared.persistence.audit_trail import AuditTrail
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.persistence.tagged import TaggedTables
from shared.rpc.audit_trail import audited
from shared.rpc.server import Binding, Runtime, background
from shared.rpc.tag_servicer import tag_binding


@asynccontextmanager
async def allocation(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve."""
    ranges = PublicRanges()
    database = Database(runtime.settings.database_url_of("allocation"))
    try:
        await database.run(upgrade, database, "services.allocation")
        bell, pending_bell = Bell(), Bell()
        cool_down = timedelta(seconds=runtime.settings.cool_down_seconds)
        telemetry = LedgerTelemetry(runtime.registry)
        writer = SqlWriter(
            database, _now, on_commit=bell.ring, cool_down=cool_down, telemetry=telemetry
        )
        journal = await database.run(journal_of, database, runtime.settings.data / "allocation")
        recovery = SqlRecovery(database, journal, _now, on_commit=bell.ring)
        await database.run(recovery.detect)
        books = SqlBooks(database, _now, on_commit=bell.ring, on_repair=telemetry.changed)
        audit = Audit(books, recovery)
        reader = SqlReader(database)
        reserved_allowed = ranges.byoip_reserved_ranges_allowed
        ledger = Ledger(
            writer, reader, reserved_allowed=reserved_allowed, on_waiting=pending_bell.ring
        )
        public_space = PublicSpace(writer, reader, pending_bell, reserved_allowed=reserved_allowed)
        keeping = (TokenPruning(database, _now).run(), JournalKeeper(database, journal).run())
        days = runtime.settings.audit_retention_days
        trail = AuditTrail(database, tables.audit_events, retention_days=days)
        async with background(writer.run(), trail.run(), *keeping):
            await _adjust(writer, reader, ranges, runtime)
            bindings = [
                Binding(
                    allocation_service_pb2_grpc.add_AllocationServiceServicer_to_server,
                    AllocationServicer(
                        ledger, reader, SqlAnnotator(database), Feed(SqlFeed(database).after, bell)
                    ),
                    "cadastre.allocation.v1.AllocationService",
                ),
                Binding(
                    batch_service_pb2_grpc.add_BatchServiceServicer_to_server,
                    BatchServicer(ledger),
                    "cadastre.allocation.v1.BatchService",
                ),
                Binding(
                    inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                    InventoryServicer(ledger, reader, _now),
                    "cadastre.allocation.v1.InventoryService",
                ),
                Binding(
                    ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                    LedgerServicer(ledger, SqlPolicies(database), reader),
                    "cadastre.allocation.v1.LedgerService",
                ),
                Binding(
                    observation_service_pb2_grpc.add_ObservationServiceServicer_to_server,
                    ObservationServicer(
                        SqlObservations(database), SqlVpcObservations(database), reader
                    ),
                    "cadastre.allocation.v1.ObservationService",
                ),
                Binding(
                    placement_service_pb2_grpc.add_PlacementServiceServicer_to_server,
                    PlacementServicer(ledger, reader, _now),
                    "cadastre.allocation.v1.PlacementService",
                ),
                Binding(
                    public_space_service_pb2_grpc.add_PublicSpaceServiceServicer_to_server,
                    PublicSpaceServicer(public_space, reader),
                    "cadastre.allocation.v1.PublicSpaceService",
                ),
                Binding(
                    audit_service_pb2_grpc.add_AuditServiceServicer_to_server,
                    AuditServicer(audit, reader),
                    "cadastre.allocation.v1.AuditService",
                ),
            ]
            bindings.append(tag_binding(TaggedTables(database, TAGGED)))
            yield audited(bindings, trail)
    finally:
        database.close()


async def _adjust(
    writer: SqlWriter, reader: SqlReader, ranges: PublicRanges, runtime: Runtime
) -> None:
    """Make the system's own pools what the configuration says, as far as that can be."""
    try:
        left = await adjust_system_pools(writer, reader, ranges.amazon)
    except ChangesLost as error:
        # A restored ledger decides nothing before it is repaired; it has the pools that it had.
        runtime.log.warning("ranges of Amazon not adjusted", error=str(error))
        return
    for why in left:
        runtime.log.warning("range of Amazon not adjusted", reason=why)


def _now() -> datetime:
    return datetime.now(UTC)
