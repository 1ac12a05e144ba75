"""Public IPv4 pools and their ranges."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

import sqlalchemy as sa

from services.network.public_ipv4_pool import AddressRange, PublicIpv4Pool
from services.network.store.blocks import SqlBlocks
from services.network.store.reading import all_of, blocks_of, is_callers, is_wanted, lock_rows
from services.network.tables import (
    addresses,
    public_ipv4_pool_ipam_regions,
    public_ipv4_pool_ranges,
    public_ipv4_pools,
)
from shared.caller import Caller

_columns = public_ipv4_pools.c
_ranges = public_ipv4_pool_ranges.c
_regions = public_ipv4_pool_ipam_regions.c


class SqlPublicIpv4Pools:
    """`PublicIpv4PoolRows` of one transaction."""

    def __init__(self, connection: sa.Connection, blocks: SqlBlocks) -> None:
        self._connection, self._blocks = connection, blocks

    def get(
        self, caller: Caller, pool_id: str, *, lock: bool, from_ipam_region: bool = False
    ) -> PublicIpv4Pool | None:
        is_seen = is_pool_seen(caller) if from_ipam_region else sa.and_(*_is_here(caller))
        is_it = (_columns.pool_id == pool_id, is_seen)
        if lock:
            lock_rows(self._connection, _columns.pool_id, *is_it)
        rows = all_of(self._connection, sa.select(public_ipv4_pools).where(*is_it))
        found = [pool for _, pool in self._with_ranges(rows)]
        return found[0] if found else None

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, PublicIpv4Pool]]:
        is_one = (is_wanted(_columns.pool_id, ids), is_pool_seen(caller))
        query = sa.select(public_ipv4_pools).where(*is_one)
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            yield from self._with_ranges(rows)

    def with_address(self, caller: Caller, address: IPv4Address) -> str | None:
        is_it = sa.literal(int(address)).between(_ranges.first_address, _ranges.last_address)
        query = (
            sa.select(_columns.pool_id)
            .join(public_ipv4_pool_ranges, _ranges.pool_id == _columns.pool_id)
            .where(is_it, *_is_here(caller))
        )
        return self._connection.execute(query).scalar()

    def add(self, pool: PublicIpv4Pool) -> None:
        self._connection.execute(
            public_ipv4_pools.insert().values(
                pool_id=pool.pool_id,
                owner_id=pool.owner_id,
                region=pool.region,
                description=pool.description,
                network_border_group=pool.network_border_group,
                is_byoip=pool.is_byoip,
                tags=dict(pool.tags),
            )
        )
        for added in pool.ranges:
            self.add_range(pool, added)

    def save(self, pool: PublicIpv4Pool) -> None:
        is_it = _columns.pool_id == pool.pool_id
        self._connection.execute(
            public_ipv4_pools.update().where(is_it).values(tags=dict(pool.tags))
        )

    def remove(self, pool: PublicIpv4Pool) -> None:
        for removed in pool.ranges:
            self.remove_range(removed)
        for table in (public_ipv4_pool_ipam_regions, public_ipv4_pools):
            self._connection.execute(table.delete().where(table.c.pool_id == pool.pool_id))

    def add_range(self, pool: PublicIpv4Pool, added: AddressRange) -> None:
        self._blocks.add(pool.holder, added.block)
        self._connection.execute(
            public_ipv4_pool_ranges.insert().values(
                association_id=added.block.association_id,
                pool_id=pool.pool_id,
                first_address=int(added.first),
                last_address=int(added.last),
            )
        )
        source = added.block.source_pool
        if source and source.ipam_region:
            self._note_ipam_region(pool.pool_id, source.ipam_region)

    def shorten(self, changed: AddressRange) -> None:
        is_it = _ranges.association_id == changed.block.association_id
        self._connection.execute(
            public_ipv4_pool_ranges.update().where(is_it).values(last_address=int(changed.last))
        )

    def remove_range(self, removed: AddressRange) -> None:
        association_id = removed.block.association_id
        is_it = _ranges.association_id == association_id
        self._connection.execute(public_ipv4_pool_ranges.delete().where(is_it))
        self._blocks.remove([association_id])

    def _note_ipam_region(self, pool_id: str, region: str) -> None:
        noted = {"pool_id": pool_id, "region": region}
        is_it = sa.and_(_regions.pool_id == pool_id, _regions.region == region)
        query = sa.select(public_ipv4_pool_ipam_regions).where(is_it)
        if not all_of(self._connection, query):
            # The pool's row is locked, or new: nobody notes the same meanwhile.
            self._connection.execute(public_ipv4_pool_ipam_regions.insert().values(**noted))

    def _with_ranges(self, rows: Sequence[sa.Row[Any]]) -> Iterator[tuple[str, PublicIpv4Pool]]:
        ranges = self._ranges_of([row.pool_id for row in rows])
        for row in rows:
            yield str(row.sequence), _pool(row, ranges.get(row.pool_id, ()))

    def _ranges_of(self, pool_ids: Collection[str]) -> Mapping[str, Sequence[AddressRange]]:
        blocks = {
            block.association_id: block
            for of_one in self._blocks.of(pool_ids).values()
            for block in of_one
        }
        found: defaultdict[str, list[AddressRange]] = defaultdict(list)
        for row in all_of(self._connection, _with_taken_totals(pool_ids)):
            found[row.pool_id].append(
                AddressRange(
                    block=blocks[row.association_id],
                    last=IPv4Address(row.last_address),
                    taken_total=row.taken_total,
                )
            )
        return found


def _with_taken_totals(pool_ids: Collection[str]) -> sa.Select[Any]:
    is_of_range = sa.and_(
        addresses.c.public_ipv4_pool == _ranges.pool_id,
        addresses.c.public_ip.between(_ranges.first_address, _ranges.last_address),
    )
    taken = sa.select(sa.func.count()).where(is_of_range).scalar_subquery().label("taken_total")
    return (
        sa.select(public_ipv4_pool_ranges, taken)
        .where(_ranges.pool_id.in_(pool_ids))
        .order_by(_ranges.first_address)
    )


def _is_here(caller: Caller) -> tuple[sa.ColumnElement[bool], ...]:
    return is_callers(public_ipv4_pools, caller)


def is_pool_seen(caller: Caller) -> sa.ColumnElement[bool]:
    """Here, or where the home of an IPAM is that it has, or had, space of."""
    is_home = sa.exists().where(
        _regions.pool_id == _columns.pool_id, _regions.region == caller.region
    )
    return sa.and_(
        _columns.owner_id == caller.account_id,
        sa.or_(_columns.region == caller.region, _columns.is_byoip, is_home),
    )


def _pool(row: sa.Row[Any], ranges: Sequence[AddressRange]) -> PublicIpv4Pool:
    return PublicIpv4Pool(
        pool_id=row.pool_id,
        owner_id=row.owner_id,
        region=row.region,
        description=row.description,
        network_border_group=row.network_border_group,
        is_byoip=row.is_byoip,
        tags=row.tags,
        ranges=tuple(ranges),
    )
