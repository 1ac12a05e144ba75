"""Client tokens are kept for a day (ALLOC-7), those of services for ever."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.allocation import tables
from services.allocation.store.token_pruning import KEPT, TokenPruning
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.allocation.test_guards import NOW
from tests.postgres import DIALECTS

OLDER, YOUNGER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    upgrade(database, "services.allocation")
    yield database
    database.close()


def test_tokens_are_forgotten_after_a_day(database: Database) -> None:  # ALLOC-7, BEY-5
    rows = [
        {"account_id": account, "operation": operation, "token": token, "created_at": made}
        for account, operation, token, made in [
            *(("1", "AllocateIpamPoolCidr", f"old-{n}", OLDER) for n in range(1200)),
            ("2", "ProvisionIpamPoolCidr", "old", OLDER),
            ("1", "AllocateIpamPoolCidr", "young", YOUNGER),
            ("1", "AllocateIpamPoolCidr", "just a day", NOW),
            ("service/network", "AllocateResourceCidr", "old", OLDER),
        ]
    ]
    with database.write() as connection:
        blank = {"fingerprint": b"", "answer": b""}
        connection.execute(tables.client_tokens.insert(), [{**row, **blank} for row in rows])
    asyncio.run(TokenPruning(database, lambda: NOW + KEPT).prune())
    with database.read() as connection:
        left = connection.scalars(sa.select(tables.client_tokens.c.token)).all()
    assert sorted(left) == ["just a day", "old", "young"]


@pytest.mark.parametrize("database_url", DIALECTS[:1], indirect=True)
def test_old_tokens_are_found_by_an_index(database: Database) -> None:  # BEY-7
    deletions: list[tuple[str, Any]] = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("DELETE"):
            deletions.append((statement, parameters))

    asyncio.run(TokenPruning(database, lambda: NOW).prune())
    sa.event.remove(database.engine, "before_cursor_execute", note)
    [(deletion, parameters)] = deletions
    with database.read() as connection:
        explained = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {deletion}", parameters)
        steps = [step.detail for step in explained]
    assert not any(step.startswith("SCAN ") for step in steps)
    assert any("ix_client_token_created_at" in step for step in steps)
