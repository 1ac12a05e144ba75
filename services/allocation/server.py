"""Wiring."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cadastre.allocation.v1 import (
    allocation_service_pb2_grpc,
    audit_service_pb2_grpc,
    batch_service_pb2_grpc,
    ledger_service_pb2_grpc,
)
from services.allocation.service.auditing import Audit
from services.allocation.service.feed import Feed
from services.allocation.service.ledger import Ledger
from services.allocation.servicer.allocation import AllocationServicer
from services.allocation.servicer.audit import AuditServicer
from services.allocation.servicer.batch import BatchServicer
from services.allocation.servicer.ledger import LedgerServicer
from services.allocation.store.audit.books import SqlBooks
from services.allocation.store.feed import SqlFeed
from services.allocation.store.reader import SqlAnnotator, SqlReader
from services.allocation.store.writer import SqlWriter
from shared.feed import Bell
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from shared.rpc.server import Binding, Runtime, background


@asynccontextmanager
async def allocation(runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
    """The context, ready to serve."""
    database = Database(runtime.settings.database_url_of("allocation"))
    try:
        await database.run(upgrade, database, "services.allocation")
        bell = Bell()
        writer = SqlWriter(database, _now, on_commit=bell.ring)
        audit = Audit(SqlBooks(database, _now, on_commit=bell.ring))
        reader = SqlReader(database)
        ledger = Ledger(writer, reader)
        async with background(writer.run()):
            yield [
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
                    ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
                    LedgerServicer(ledger, reader),
                    "cadastre.allocation.v1.LedgerService",
                ),
                Binding(
                    audit_service_pb2_grpc.add_AuditServiceServicer_to_server,
                    AuditServicer(audit, reader),
                    "cadastre.allocation.v1.AuditService",
                ),
            ]
    finally:
        database.close()


def _now() -> datetime:
    return datetime.now(UTC)
