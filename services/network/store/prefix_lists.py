"""Prefix lists and their versions."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from services.network.prefix_list import VERSIONS_KEPT, PrefixList, PrefixListState
from services.network.prefix_list_change import Entry
from services.network.store.reading import all_of, blocks_of, is_callers, is_wanted, lock_rows
from services.network.tables import prefix_list_versions, prefix_lists
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr

_columns = prefix_lists.c
_versions = prefix_list_versions.c


class SqlPrefixLists:
    """`PrefixListRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, caller: Caller, prefix_list_id: str, *, lock: bool) -> PrefixList | None:
        is_it = (_columns.prefix_list_id == prefix_list_id, *is_callers(prefix_lists, caller))
        if lock:
            lock_rows(self._connection, _columns.prefix_list_id, *is_it)
        rows = all_of(self._connection, sa.select(prefix_lists).where(*is_it))
        return _prefix_list(rows[0]) if rows else None

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, PrefixList]]:
        wanted = is_wanted(_columns.prefix_list_id, ids)
        query = sa.select(prefix_lists).where(wanted, *is_callers(prefix_lists, caller))
        for rows in blocks_of(self._connection, query, _columns.sequence, after):
            for row in rows:
                yield str(row.sequence), _prefix_list(row)

    def entries(self, prefix_list_id: str, version: int) -> Sequence[Entry] | None:
        is_it = (_versions.prefix_list_id == prefix_list_id, _versions.version == version)
        found = self._connection.execute(sa.select(_versions.entries).where(*is_it)).scalar()
        if found is None:
            return None
        return [Entry(Cidr.parse(cidr), description) for cidr, description in found]

    def add(self, prefix_list: PrefixList, entries: Sequence[Entry]) -> None:
        self._connection.execute(
            prefix_lists.insert().values(
                prefix_list_id=prefix_list.prefix_list_id,
                owner_id=prefix_list.owner_id,
                region=prefix_list.region,
                address_family=prefix_list.family.value,
                **_changeable(prefix_list),
            )
        )
        self._add_entries(prefix_list, entries)

    def save(self, prefix_list: PrefixList) -> None:
        is_it = _columns.prefix_list_id == prefix_list.prefix_list_id
        self._connection.execute(
            prefix_lists.update().where(is_it).values(**_changeable(prefix_list))
        )

    def add_version(self, prefix_list: PrefixList, entries: Sequence[Entry]) -> None:
        self.save(prefix_list)
        self._add_entries(prefix_list, entries)
        self._connection.execute(
            prefix_list_versions.delete().where(
                _versions.prefix_list_id == prefix_list.prefix_list_id,
                _versions.version <= prefix_list.version - VERSIONS_KEPT,
            )
        )

    def remove(self, prefix_list: PrefixList) -> None:
        for table in (prefix_list_versions, prefix_lists):
            is_its = table.c.prefix_list_id == prefix_list.prefix_list_id
            self._connection.execute(table.delete().where(is_its))

    def _add_entries(self, prefix_list: PrefixList, entries: Sequence[Entry]) -> None:
        self._connection.execute(
            prefix_list_versions.insert().values(
                prefix_list_id=prefix_list.prefix_list_id,
                version=prefix_list.version,
                entries=[(str(entry.cidr), entry.description) for entry in entries],
            )
        )


def _changeable(prefix_list: PrefixList) -> dict[str, Any]:
    return {
        "name": prefix_list.name,
        "max_entries": prefix_list.max_entries,
        "tags": dict(prefix_list.tags),
        "version": prefix_list.version,
        "state": prefix_list.state,
        "state_message": prefix_list.state_message,
        "resolver_target_id": prefix_list.resolver_target_id,
        "is_synchronised": prefix_list.is_synchronised,
    }


def _prefix_list(row: sa.Row[Any]) -> PrefixList:
    return PrefixList(
        prefix_list_id=row.prefix_list_id,
        owner_id=row.owner_id,
        region=row.region,
        name=row.name,
        family=AddressFamily(row.address_family),
        max_entries=row.max_entries,
        tags=row.tags,
        version=row.version,
        state=PrefixListState(row.state),
        state_message=row.state_message,
        resolver_target_id=row.resolver_target_id,
        is_synchronised=row.is_synchronised,
    )
