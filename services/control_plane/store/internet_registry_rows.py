"""`InternetRegistryRows` in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.resources import Range, Resources
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
)
from services.control_plane.internet_registries.authorities import Delegation, KeptAuthority
from services.control_plane.store import internet_registry_records as records
from services.control_plane.store.in_order import in_order
from services.control_plane.tables import internet_registry_asn_ranges as asn_ranges
from services.control_plane.tables import internet_registry_associations as associations
from services.control_plane.tables import internet_registry_cidrs as cidrs
from services.control_plane.tables import internet_registry_delegations as delegations
from services.control_plane.tables import rpki_authorities as authorities
from shared.caller import Caller
from shared.cidr import Cidr

_BLOCK_ROWS = 100
_ID = associations.c.ipam_internet_registry_association_id
_MEMBERS = [associations.c[name] for name in records.MEMBERS]


class SqlInternetRegistryRows:
    """Associations with registries, as one connection's transaction sees and changes them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, association_id: str) -> InternetRegistryAssociation | None:
        row = self._first(sa.select(*_MEMBERS).where(_is(association_id)))
        return InternetRegistryAssociation(**row) if row else None

    def of_ipam(self, ipam_id: str) -> Sequence[InternetRegistryAssociation]:
        query = sa.select(*_MEMBERS).where(associations.c.ipam_id == ipam_id)
        found = self._all(query.order_by(associations.c.sequence))
        return [InternetRegistryAssociation(**row) for row in found]

    def visible(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, InternetRegistryAssociation]]:
        query = sa.select(*_MEMBERS).where(
            associations.c.owner_id == caller.account_id,
            associations.c.ipam_region == caller.region,
            _ID.in_(ids) if ids else sa.true(),
        )
        for key, row in in_order(self._connection, query, associations.c.sequence, after):
            yield key, InternetRegistryAssociation(**row)

    def add(self, association: InternetRegistryAssociation) -> None:
        self._connection.execute(
            associations.insert().values(records.association_columns(association))
        )

    def save(self, association: InternetRegistryAssociation) -> None:
        is_it = _is(association.ipam_internet_registry_association_id)
        columns = records.association_columns(association)
        self._connection.execute(associations.update().where(is_it).values(columns))

    def remove(self, association_id: str) -> None:
        for table in (cidrs, asn_ranges, authorities, delegations):
            is_of = table.c.association_id == association_id
            self._connection.execute(table.delete().where(is_of))
        self._connection.execute(associations.delete().where(_is(association_id)))

    def due(self, now: datetime) -> Sequence[str]:
        query = sa.select(_ID).where(*_is_due(now)).order_by(associations.c.refresh_at)
        return self._connection.execute(query).scalars().all()

    def claim(self, association_id: str, now: datetime, until: datetime) -> bool:
        is_due = (_is(association_id), *_is_due(now))
        claim = associations.update().where(*is_due).values(refresh_at=until)
        return bool(self._connection.execute(claim).rowcount)

    def ask_again(self, association_id: str, at: datetime | None) -> None:
        change = associations.update().where(_is(association_id))
        self._connection.execute(change.values(refresh_at=at))

    def delegation(self, association_id: str) -> Delegation | None:
        row = self._first(
            sa.select(delegations).where(delegations.c.association_id == association_id)
        )
        return records.delegation_of(row) if row else None

    def add_delegation(self, delegation: Delegation) -> None:
        columns = records.delegation_columns(delegation)
        self._connection.execute(delegations.insert().values(columns))

    def set_parent(self, association_id: str, parent: ParentContact) -> None:
        before = self.delegation(association_id)
        if before is None or before.parent == parent:
            return
        columns = records.parent_columns(parent)
        self._change_delegation(association_id, **columns, heard_at=None)

    def set_heard(self, association_id: str, heard_at: datetime) -> None:
        before = self.delegation(association_id)
        if before and (before.heard_at is None or before.heard_at < heard_at):
            self._change_delegation(association_id, heard_at=heard_at)

    def set_identity_key(self, association_id: str, encrypted_key: bytes) -> None:
        self._change_delegation(association_id, encrypted_key=encrypted_key)

    def all_delegations(self) -> Iterator[Delegation]:
        query = sa.select(delegations).order_by(delegations.c.association_id)
        return map(records.delegation_of, self._all(query))

    def keys(self, association_id: str) -> Mapping[str, bytes]:
        query = sa.select(authorities.c.class_name, authorities.c.encrypted_key)
        found = self._all(query.where(authorities.c.association_id == association_id))
        return {row["class_name"]: row["encrypted_key"] for row in found}

    def all_keys(self) -> Iterator[tuple[str, str, bytes]]:
        query = sa.select(authorities).order_by(authorities.c.association_id)
        for row in self._all(query):
            yield row["association_id"], row["class_name"], row["encrypted_key"]

    def add_key(self, association_id: str, class_name: str, encrypted_key: bytes) -> None:
        key = {"association_id": association_id, "class_name": class_name}
        self._connection.execute(authorities.insert().values(**key, encrypted_key=encrypted_key))

    def set_key(self, association_id: str, class_name: str, encrypted_key: bytes) -> None:
        change = authorities.update().where(*_is_authority(association_id, class_name))
        self._connection.execute(change.values(encrypted_key=encrypted_key))

    def authorities(self, association_id: str) -> Mapping[str, KeptAuthority]:
        query = sa.select(authorities).where(
            authorities.c.association_id == association_id, authorities.c.certificate.is_not(None)
        )
        rows = self._all(query.order_by(authorities.c.class_name))
        return {row["class_name"]: records.authority_of(row) for row in rows}

    def save_authorities(
        self, association_id: str, authorities_by_class: Mapping[str, KeptAuthority | None]
    ) -> None:
        gone = authorities.delete().where(
            authorities.c.association_id == association_id,
            authorities.c.class_name.not_in(authorities_by_class),
        )
        self._connection.execute(gone)
        for class_name, authority in authorities_by_class.items():
            change = authorities.update().where(*_is_authority(association_id, class_name))
            self._connection.execute(change.values(records.certificate_columns(authority)))

    def certified(self, association_id: str) -> Resources:
        blocks = Resources.of(cidr for _, cidr in self.cidrs(association_id, None))
        return replace(blocks, asn_ranges=tuple(self.asn_ranges(association_id, 0)))

    def save_certified(self, association_id: str, resources: Resources) -> None:
        for table in (cidrs, asn_ranges):
            is_of = table.c.association_id == association_id
            self._connection.execute(table.delete().where(is_of))
        of_it = {"association_id": association_id}
        if blocks := [{**of_it, **records.cidr_columns(cidr)} for cidr in resources.cidrs()]:
            self._connection.execute(cidrs.insert(), blocks)
        if ranges := [
            {**of_it, "first_asn": first, "last_asn": last} for first, last in resources.asn_ranges
        ]:
            self._connection.execute(asn_ranges.insert(), ranges)

    def cidrs(self, association_id: str, after: str | None) -> Iterator[tuple[str, Cidr]]:
        query = sa.select(cidrs).where(cidrs.c.association_id == association_id)
        # By key, IPv4 comes before all IPv6 that there is.
        key = sa.tuple_(cidrs.c.first_key, cidrs.c.prefix_length)
        last = records.cidr_of_key(after) if after else None
        while True:
            later = query.order_by(cidrs.c.first_key, cidrs.c.prefix_length)
            if last is not None:
                later = later.where(key > (last.first_key, last.prefix_length))
            block = self._all(later.limit(_BLOCK_ROWS))
            for row in block:
                last = Cidr.from_key(row["first_key"], row["prefix_length"])
                yield str(last), last
            if len(block) < _BLOCK_ROWS:
                return

    def asn_ranges(self, association_id: str, first: int) -> Iterator[Range]:
        query = sa.select(asn_ranges).where(asn_ranges.c.association_id == association_id)
        last = first - 1
        while True:
            later = query.where(asn_ranges.c.last_asn > last).order_by(asn_ranges.c.first_asn)
            block = self._all(later.limit(_BLOCK_ROWS))
            for row in block:
                last = row["last_asn"]
                yield row["first_asn"], last
            if len(block) < _BLOCK_ROWS:
                return

    def covering(self, ipam_id: str, cidr: Cidr) -> InternetRegistryAssociation | None:
        query = (
            sa.select(*_MEMBERS, cidrs.c.first_key, cidrs.c.prefix_length)
            .join(cidrs, cidrs.c.association_id == _ID)
            .where(
                associations.c.ipam_id == ipam_id,
                associations.c.state == AssociationState.ENABLE_COMPLETE,
                cidrs.c.first_key <= cidr.first_key,
                cidrs.c.last_key >= cidr.last_key,
            )
            .order_by(associations.c.sequence)
        )
        for row in self._all(query):
            values = dict(row)
            # Keys of IPv4 lie among those of IPv6.
            found = Cidr.from_key(values.pop("first_key"), values.pop("prefix_length"))
            if found.contains(cidr):
                return InternetRegistryAssociation(**values)
        return None

    def _change_delegation(self, association_id: str, **columns: Any) -> None:
        is_it = delegations.c.association_id == association_id
        self._connection.execute(delegations.update().where(is_it).values(columns))

    def _first(self, query: sa.Select[Any]) -> sa.RowMapping | None:
        return self._connection.execute(query).mappings().first()

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        return self._connection.execute(query).mappings().all()


def _is(association_id: str) -> sa.ColumnElement[bool]:
    return associations.c.ipam_internet_registry_association_id == association_id


def _is_due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        associations.c.state == AssociationState.ENABLE_COMPLETE,
        associations.c.refresh_at <= now,
    )


def _is_authority(association_id: str, class_name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        authorities.c.association_id == association_id,
        authorities.c.class_name == class_name,
    )
