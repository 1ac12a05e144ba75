"""`Store` and `Rows` of prefix list resolvers, and their steps."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import sqlalchemy as sa

from services.discovery.resolvers.rule import Candidate
from services.discovery.resolvers.selection import Source
from services.discovery.resource_cidr import ResourceType
from services.discovery.service.resolver_rows import Once, Rows, StepKind
from services.discovery.service.syncing import Ending
from services.discovery.store.evaluation_view import HAS_NOT_ENDED
from services.discovery.store.resolvers.resolvers import SqlResolverRows, SqlVersionRows
from services.discovery.store.resolvers.targets import SqlTargetRows
from services.discovery.tables import client_tokens, outbox, records, resource_cidrs
from shared.cidr import Cidr
from shared.persistence.client_tokens import ClientTokens, fingerprint
from shared.persistence.database import Database
from shared.persistence.outbox import Finish, Handler, Step
from shared.persistence.steps import Steps

_TOKENS = ClientTokens(client_tokens)
_CHUNK_ROWS = 5000
_NO_TAGS: Mapping[str, str] = {}
_UNMONITORED = {kind.value for kind in ResourceType if not kind.is_monitored}

T = TypeVar("T")


class SqlResolvers:
    """Runs use cases in a database's threads."""

    def __init__(self, database: Database, *, on_steps: Callable[[], None]) -> None:
        """``on_steps`` is told, in the event loop, that there is something to be done."""
        self._database, self._on_steps = database, on_steps
        self._steps = Steps(database, outbox)

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        return await self._database.run(self._read, use_case)

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        result, has_new_steps = await self._database.run(self._write, use_case, dry_run)
        if has_new_steps:
            self._on_steps()
        return result

    def handlers(
        self, work: Mapping[StepKind, Callable[[str], Awaitable[Ending]]]
    ) -> Mapping[str, Handler]:
        """``work`` by kind of step, as the outbox calls it."""
        return {kind.value: self._handler(do) for kind, do in work.items()}

    def _handler(self, do: Callable[[str], Awaitable[Ending]]) -> Handler:
        async def handle(step: Step) -> Finish:
            ending = await do(step.subject)
            return lambda connection: ending(SqlRows(connection, self._steps))

        return handle

    def _read(self, use_case: Callable[[Rows], T]) -> T:
        with self._database.read() as connection:
            return use_case(SqlRows(connection, self._steps))

    def _write(self, use_case: Callable[[Rows], T], dry_run: bool) -> tuple[T, bool]:
        with self._database.write(dry_run=dry_run) as connection:
            rows = SqlRows(connection, self._steps)
            result = use_case(rows)
        return result, rows.targets.has_new_steps


class SqlRows:
    """The rows that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection, steps: Steps) -> None:
        self._connection, self._steps = connection, steps

    @cached_property
    def resolvers(self) -> SqlResolverRows:
        return SqlResolverRows(self._connection)

    @cached_property
    def versions(self) -> SqlVersionRows:
        return SqlVersionRows(self._connection)

    @cached_property
    def targets(self) -> SqlTargetRows:
        return SqlTargetRows(self._connection, self._steps)

    @cached_property
    def tokens(self) -> "SqlTokens":
        return SqlTokens(self._connection)

    def resource_cidrs(
        self, ipam_id: str, source: Source, *, with_tags: bool
    ) -> Iterator[Candidate]:
        query = _resources(ipam_id, source, with_tags=with_tags)
        for row in self._connection.execute(query, execution_options={"yield_per": _CHUNK_ROWS}):
            yield Candidate(
                Cidr.from_key(row.first_address, row.prefix_length),
                resource_id=row.resource_id,
                owner_id=row.owner_id,
                region=row.region,
                tags=(row.tags or _NO_TAGS) if with_tags else _NO_TAGS,
            )


class SqlTokens:
    """`TokenRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def recall(self, once: Once) -> bytes | None:
        return _TOKENS.recall(self._connection, **_key_of(once))

    def remember(self, once: Once, answer: bytes) -> None:
        now = datetime.now(UTC)
        _TOKENS.remember(self._connection, **_key_of(once), answer=answer, now=now)


def _key_of(once: Once) -> dict[str, Any]:
    return {
        "account_id": once.account_id,
        "operation": once.operation,
        "token": once.token,
        "fingerprint": fingerprint(once.request),
    }


def _resources(ipam_id: str, source: Source, *, with_tags: bool) -> sa.Select[Any]:
    columns: list[sa.ColumnElement[Any]] = [
        records.c.first_address,
        records.c.prefix_length,
        records.c.resource_id,
        records.c.owner_id,
        records.c.region,
    ]
    query = sa.select(*columns)
    if with_tags:
        query = query.add_columns(resource_cidrs.c.tags).select_from(
            # What was monitored may be gone already, until the next evaluation.
            records.outerjoin(resource_cidrs, resource_cidrs.c.row_id == records.c.row_id)
        )
    is_monitored = source.resource_type not in _UNMONITORED
    return query.where(
        records.c.ipam_id == ipam_id,
        records.c.ipam_scope_id == source.scope_id,
        records.c.is_monitored == is_monitored,
        records.c.resource_type == source.resource_type,
        HAS_NOT_ENDED,
    )
