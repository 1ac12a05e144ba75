"""`Store` and `Rows` in SQL."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import sqlalchemy as sa

from services.network.changes import Change
from services.network.service.rows import Rows
from services.network.store.addresses import SqlAddresses, SqlAddressTransfers
from services.network.store.blocks import SqlBlocks
from services.network.store.feed import SqlFeed
from services.network.store.instances import SqlInstances
from services.network.store.interfaces import SqlInterfaces
from services.network.store.prefix_lists import SqlPrefixLists
from services.network.store.public_ipv4_pools import SqlPublicIpv4Pools
from services.network.store.subnets import SqlSubnets
from services.network.store.tokens import SqlTokens
from services.network.store.vpc_defaults import SqlVpcDefaults
from services.network.store.vpcs import SqlVpcs
from shared.persistence.database import Database

T = TypeVar("T")


class SqlStore:
    """Runs use cases in a database's threads."""

    def __init__(
        self, database: Database, *, on_change: Callable[[Sequence[Change]], None]
    ) -> None:
        """``on_change`` is told, in the event loop, of what was added to the feed."""
        self._database, self._on_change = database, on_change

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        return await self._database.run(self._read, use_case)

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        result, appended = await self._database.run(self._write, use_case, dry_run)
        if appended:
            self._on_change(appended)
        return result

    def _read(self, use_case: Callable[[Rows], T]) -> T:
        with self._database.read() as connection:
            return use_case(SqlRows(connection))

    def _write(self, use_case: Callable[[Rows], T], dry_run: bool) -> tuple[T, Sequence[Change]]:
        with self._database.write(dry_run=dry_run) as connection:
            rows = SqlRows(connection)
            result = use_case(rows)
        return result, rows.feed.appended


class SqlRows:
    """The rows that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @cached_property
    def addresses(self) -> SqlAddresses:
        return SqlAddresses(self._connection, self.blocks)

    @cached_property
    def address_transfers(self) -> SqlAddressTransfers:
        return SqlAddressTransfers(self._connection)

    @cached_property
    def prefix_lists(self) -> SqlPrefixLists:
        return SqlPrefixLists(self._connection)

    @cached_property
    def public_ipv4_pools(self) -> SqlPublicIpv4Pools:
        return SqlPublicIpv4Pools(self._connection, self.blocks)

    @cached_property
    def blocks(self) -> SqlBlocks:
        return SqlBlocks(self._connection)

    @cached_property
    def feed(self) -> SqlFeed:
        return SqlFeed(self._connection)

    @cached_property
    def instances(self) -> SqlInstances:
        return SqlInstances(self._connection)

    @cached_property
    def interfaces(self) -> SqlInterfaces:
        return SqlInterfaces(self._connection)

    @cached_property
    def subnets(self) -> SqlSubnets:
        return SqlSubnets(self._connection, self.blocks)

    @cached_property
    def tokens(self) -> SqlTokens:
        return SqlTokens(self._connection)

    @cached_property
    def vpc_defaults(self) -> SqlVpcDefaults:
        return SqlVpcDefaults(self._connection)

    @cached_property
    def vpcs(self) -> SqlVpcs:
        return SqlVpcs(self._connection, self.blocks)
