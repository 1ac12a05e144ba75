"""`Rows` in SQL."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.control_plane import tables
from services.control_plane.errors import IpamLimitExceeded
from services.control_plane.internet_registries.association import AssociationState
from services.control_plane.ipam import Ipam, Tier
from services.control_plane.lifecycle import State
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope, ScopeType
from services.control_plane.service.rows import NO_MATTER, Among
from services.control_plane.store.byoip_rows import SqlByoipRows
from services.control_plane.store.discovery_rows import SqlDiscoveryRows
from services.control_plane.store.identity_rows import SqlIdentityRows
from services.control_plane.store.in_order import in_chunks, in_order
from services.control_plane.store.internet_registry_rows import SqlInternetRegistryRows
from services.control_plane.store.ipam_policy_rows import SqlIpamPolicyRows
from services.control_plane.store.organization_rows import SqlOrganizationRows
from services.control_plane.store.records import columns_of, ipam_of, pool_of, scope_of
from services.control_plane.store.routing_policy_rows import SqlRoutingPolicyRows
from services.control_plane.store.share_rows import SqlShareRows
from services.control_plane.store.tagged import TAGGABLE, is_pool_in
from services.control_plane.tables import ipams, pools, scopes
from shared.caller import Caller
from shared.tags import Tags

_PAGE_ROWS = 1000

_SCOPE_COUNT = (
    sa.select(sa.func.count())
    .where(scopes.c.ipam_id == ipams.c.ipam_id)
    .scalar_subquery()
    .label("scope_count")
)
_ASSOCIATION_COUNT = (
    sa.select(sa.func.count())
    .where(tables.resource_discovery_associations.c.ipam_id == ipams.c.ipam_id)
    .scalar_subquery()
    .label("resource_discovery_association_count")
)
_POOL_COUNT = (
    sa.select(sa.func.count())
    .where(pools.c.ipam_scope_id == scopes.c.ipam_scope_id)
    .scalar_subquery()
    .label("pool_count")
)


def _members(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.c if column.name != "sequence"]


_IPAMS = sa.select(*_members(ipams), _SCOPE_COUNT, _ASSOCIATION_COUNT)
_SCOPES = sa.select(*_members(scopes), _POOL_COUNT)
_POOLS = sa.select(*_members(pools))
_IS_OF_FREE_IPAM = pools.c.ipam_id.in_(sa.select(ipams.c.ipam_id).where(ipams.c.tier == Tier.FREE))


class SqlRows:
    """The rows that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.organizations = SqlOrganizationRows(connection)
        self.shares = SqlShareRows(connection, self.organizations)
        self.discoveries = SqlDiscoveryRows(connection)
        self.ipam_policies = SqlIpamPolicyRows(connection)
        self.internet_registries = SqlInternetRegistryRows(connection)
        self.routing_policies = SqlRoutingPolicyRows(connection)
        self.identity = SqlIdentityRows(connection)
        self.byoip = SqlByoipRows(connection)

    def ipam_in(self, owner_id: str, region: str, *, lock: bool) -> Ipam | None:
        return self._one_ipam(ipams.c.owner_id == owner_id, ipams.c.region == region, lock=lock)

    def ipam(self, ipam_id: str, *, lock: bool) -> Ipam | None:
        return self._one_ipam(ipams.c.ipam_id == ipam_id, lock=lock)

    def ipams_with_public_pools(self, owner_ids: Collection[str]) -> Sequence[Ipam]:
        has_any = ipams.c.ipam_id.in_(
            sa.select(pools.c.ipam_id).where(pools.c.scope_type == ScopeType.PUBLIC)
        )
        found: list[Ipam] = []
        for some in in_chunks(owner_ids):
            query = _IPAMS.where(ipams.c.owner_id.in_(some), has_any)
            found += [ipam_of(row) for row in self._all(query)]
        return sorted(found, key=lambda ipam: ipam.ipam_id)

    def ipams_with_registries(self) -> Sequence[Ipam]:
        associations = tables.internet_registry_associations.c
        enabled = sa.select(associations.ipam_id).where(
            associations.state == AssociationState.ENABLE_COMPLETE
        )
        query = _IPAMS.where(ipams.c.ipam_id.in_(enabled)).order_by(ipams.c.ipam_id)
        return [ipam_of(row) for row in self._all(query)]

    def ipam_ids(self) -> Sequence[str]:
        query = sa.select(ipams.c.ipam_id).order_by(ipams.c.sequence)
        return self._connection.execute(query).scalars().all()

    def all_ipams(self, after: str | None) -> Iterator[tuple[str, Ipam, Sequence[Scope]]]:
        is_made = ipams.c.state != State.CREATE_IN_PROGRESS
        query = _IPAMS.where(is_made).order_by(ipams.c.ipam_id)
        last = after or ""
        while True:
            later = query.where(ipams.c.ipam_id > last).limit(_PAGE_ROWS)
            block = [ipam_of(row) for row in self._all(later)]
            held = self._scopes_by_ipam([ipam.ipam_id for ipam in block])
            for ipam in block:
                yield ipam.ipam_id, ipam, held[ipam.ipam_id]
            if len(block) < _PAGE_ROWS:
                return
            last = block[-1].ipam_id

    def add_ipam(self, ipam: Ipam) -> None:
        try:
            self._connection.execute(ipams.insert().values(columns_of(ipam, ipams)))
        except IntegrityError as error:
            raise IpamLimitExceeded(ipam.owner_id, ipam.region) from error

    def save_ipam(self, ipam: Ipam) -> None:
        self._save(ipam, ipams, ipams.c.ipam_id == ipam.ipam_id)

    def remove_ipam(self, ipam: Ipam) -> None:
        associations = tables.resource_discovery_associations
        pool_ids = self._pool_ids(pools.c.ipam_id == ipam.ipam_id)
        self.shares.forget([*pool_ids, ipam.default_resource_discovery_id])
        self.byoip.remove_of_ipam(ipam.ipam_id)
        self.ipam_policies.remove_of_ipam(ipam.ipam_id)
        for removal in (
            pools.delete().where(pools.c.ipam_id == ipam.ipam_id),
            scopes.delete().where(scopes.c.ipam_id == ipam.ipam_id),
            associations.delete().where(associations.c.ipam_id == ipam.ipam_id),
            ipams.delete().where(ipams.c.ipam_id == ipam.ipam_id),
        ):
            self._connection.execute(removal)
        self.discoveries.remove_discovery(ipam.default_resource_discovery_id)

    def scope(self, ipam_scope_id: str) -> Scope | None:
        row = self._first(_SCOPES.where(scopes.c.ipam_scope_id == ipam_scope_id))
        return scope_of(row) if row else None

    def scopes(self, ipam_id: str) -> Sequence[Scope]:
        query = _SCOPES.where(scopes.c.ipam_id == ipam_id).order_by(scopes.c.sequence)
        return [scope_of(row) for row in self._all(query)]

    def add_scope(self, scope: Scope) -> None:
        self._connection.execute(scopes.insert().values(columns_of(scope, scopes)))

    def save_scope(self, scope: Scope) -> None:
        self._save(scope, scopes, scopes.c.ipam_scope_id == scope.ipam_scope_id)

    def remove_scope(self, ipam_scope_id: str) -> None:
        self._connection.execute(scopes.delete().where(scopes.c.ipam_scope_id == ipam_scope_id))

    def pool(self, ipam_pool_id: str) -> Pool | None:
        row = self._first(_POOLS.where(pools.c.ipam_pool_id == ipam_pool_id))
        return pool_of(row) if row else None

    def pools(self, ipam_id: str) -> Sequence[Pool]:
        deepest_first = (pools.c.depth.desc(), pools.c.sequence)
        query = _POOLS.where(pools.c.ipam_id == ipam_id).order_by(*deepest_first)
        return [pool_of(row) for row in self._all(query)]

    def all_pools(self, after: str | None) -> Iterator[tuple[str, Pool, Ipam]]:
        known: dict[str, Ipam] = {}
        last = after or ""
        while True:
            later = _POOLS.where(pools.c.ipam_pool_id > last).order_by(pools.c.ipam_pool_id)
            block = [pool_of(row) for row in self._all(later.limit(_PAGE_ROWS))]
            missing = {pool.ipam_id for pool in block}.difference(known)
            rows = self._all(_IPAMS.where(ipams.c.ipam_id.in_(missing)))
            known |= {row["ipam_id"]: ipam_of(row) for row in rows}
            for pool in block:
                yield pool.ipam_pool_id, pool, known[pool.ipam_id]
            if len(block) < _PAGE_ROWS:
                return
            last = block[-1].ipam_pool_id

    def pool_ids_in(self, ipam_scope_id: str) -> list[str]:
        return self._pool_ids(pools.c.ipam_scope_id == ipam_scope_id)

    def child_ids(self, ipam_pool_id: str) -> list[str]:
        return self._pool_ids(pools.c.source_ipam_pool_id == ipam_pool_id)

    def add_pool(self, pool: Pool) -> None:
        self._connection.execute(pools.insert().values(columns_of(pool, pools)))

    def save_pool(self, pool: Pool) -> None:
        self._save(pool, pools, pools.c.ipam_pool_id == pool.ipam_pool_id)

    def remove_pools(self, ipam_pool_ids: Sequence[str]) -> None:
        self.shares.forget(ipam_pool_ids)
        self._connection.execute(pools.delete().where(pools.c.ipam_pool_id.in_(ipam_pool_ids)))

    def tags(self, caller: Caller, resource_id: str) -> Tags | None:
        for _, id_column, region_column in TAGGABLE:
            columns = id_column.table.c
            query = sa.select(columns.tags).where(
                id_column == resource_id,
                columns.owner_id == caller.account_id,
                region_column == caller.region,
            )
            if row := self._first(query.with_for_update()):
                tags: Tags = row["tags"]
                return tags
        return None

    def save_tags(self, resource_id: str, tags: Tags) -> None:
        for _, id_column, _ in TAGGABLE:
            is_it = id_column == resource_id
            self._connection.execute(sa.update(id_column.table).where(is_it).values(tags=tags))

    def visible_ipams(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Ipam]]:
        query = _IPAMS.where(
            ipams.c.owner_id == caller.account_id,
            ipams.c.region == caller.region,
            _among(ipams.c.ipam_id, ids),
        )
        for key, row in in_order(self._connection, query, ipams.c.sequence, after):
            yield key, ipam_of(row)

    def visible_scopes(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Scope]]:
        query = _SCOPES.where(
            scopes.c.owner_id == caller.account_id,
            scopes.c.ipam_region == caller.region,
            _among(scopes.c.ipam_scope_id, ids),
        )
        for key, row in in_order(self._connection, query, scopes.c.sequence, after):
            yield key, scope_of(row)

    def visible_pools(
        self, caller: Caller, *, ids: Collection[str], after: str | None, among: Among = NO_MATTER
    ) -> Iterator[tuple[str, Pool]]:
        is_owned = pools.c.owner_id == caller.account_id
        shared = self.shares.pools_for(caller.account_id)
        # On the free tier nobody but the owner uses them (IPAM-4), whatever is shared.
        is_shared = sa.and_(pools.c.ipam_pool_id.in_(shared), sa.not_(_IS_OF_FREE_IPAM))
        query = _POOLS.where(
            sa.or_(is_owned, is_shared) if shared else is_owned,
            is_pool_in(caller.region),
            _among(pools.c.ipam_pool_id, ids),
            *_narrowed(among),
        )
        for key, row in in_order(self._connection, query, pools.c.sequence, after):
            pool = pool_of(row)
            # Its tags are the owner's alone, as at AWS.
            is_shown_whole = pool.owner_id == caller.account_id
            yield key, pool if is_shown_whole else replace(pool, tags={})

    def _scopes_by_ipam(self, ipam_ids: Collection[str]) -> Mapping[str, Sequence[Scope]]:
        query = _SCOPES.where(scopes.c.ipam_id.in_(ipam_ids)).order_by(scopes.c.sequence)
        found: dict[str, list[Scope]] = {ipam_id: [] for ipam_id in ipam_ids}
        for row in self._all(query):
            found[row["ipam_id"]].append(scope_of(row))
        return found

    def _one_ipam(self, *conditions: sa.ColumnElement[bool], lock: bool) -> Ipam | None:
        if lock:
            # A statement of its own: what is read next is as it was when the lock was got.
            self._first(sa.select(ipams.c.sequence).where(*conditions).with_for_update())
        row = self._first(_IPAMS.where(*conditions))
        return ipam_of(row) if row else None

    def _save(
        self, record: Ipam | Scope | Pool, table: sa.Table, is_it: sa.ColumnElement[bool]
    ) -> None:
        self._connection.execute(table.update().where(is_it).values(columns_of(record, table)))

    def _pool_ids(self, condition: sa.ColumnElement[bool]) -> list[str]:
        query = sa.select(pools.c.ipam_pool_id).where(condition).order_by(pools.c.sequence)
        return list(self._connection.execute(query).scalars())

    def _first(self, query: sa.Select[Any]) -> sa.RowMapping | None:
        return self._connection.execute(query).mappings().first()

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        return self._connection.execute(query).mappings().all()


_DEPTH = re.compile(r"\d{1,3}", re.ASCII)
# Filters of lists that the database looks up, each with its column and what a value is there.
_NARROWED: Mapping[str, tuple[sa.Column[Any], Callable[[str], Any]]] = {
    "ipam-scope-arn": (pools.c.ipam_scope_id, lambda arn: arn.rpartition("/")[2]),
    "pool-depth": (pools.c.depth, lambda depth: int(depth) if _DEPTH.fullmatch(depth) else -1),
    "source-ipam-pool-id": (pools.c.source_ipam_pool_id, str),
}


def _narrowed(among: Among) -> Iterator[sa.ColumnElement[bool]]:
    for name, values in among.items():
        column, value_of = _NARROWED[name]
        yield column.in_([value_of(value) for value in values])


def _among(id_column: sa.Column[str], ids: Collection[str]) -> sa.ColumnElement[bool]:
    return id_column.in_(ids) if ids else sa.true()
