"""`ByoipRows` in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.control_plane.byoip.asn_association import AsnAssociation
from services.control_plane.byoip.byoasn import AsnState, Byoasn
from services.control_plane.byoip.byoip_cidr import ByoipCidr, ByoipCidrState
from services.control_plane.byoip.pool_range import PoolRange
from services.control_plane.byoip.token import VerificationToken
from services.control_plane.store.byoip_records import (
    byoasn_columns,
    byoasn_of,
    cidr_columns,
    cidr_of,
    token_columns,
)
from services.control_plane.store.in_order import in_chunks, in_order
from services.control_plane.tables import asn_associations as associations
from services.control_plane.tables import byoasns, pool_ranges
from services.control_plane.tables import byoip_cidrs as cidrs
from services.control_plane.tables import rpki_roas as roas
from services.control_plane.tables import verification_tokens as tokens
from services.control_plane.verification.roas import Roa
from shared.caller import Caller
from shared.cidr import Cidr
from shared.persistence.failures import ConcurrentModification


def _members(table: sa.Table) -> sa.Select[Any]:
    return sa.select(*(column for column in table.c if column.name != "sequence"))


_TOKENS, _BYOASNS, _CIDRS = _members(tokens), _members(byoasns), _members(cidrs)
_token_id = tokens.c.ipam_external_resource_verification_token_id
_CAME_ALONE = cidrs.c.ipam_pool_cidr_id.is_(None)


class SqlByoipRows:
    """What was brought along, as one connection's transaction sees and changes it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def token(self, token_id: str) -> VerificationToken | None:
        row = self._first(_TOKENS.where(_token_id == token_id))
        return VerificationToken(**row) if row else None

    def token_count(self, ipam_id: str) -> int:
        query = sa.select(sa.func.count()).where(tokens.c.ipam_id == ipam_id)
        return self._connection.execute(query).scalar_one()

    def add_token(self, token: VerificationToken) -> None:
        self._connection.execute(tokens.insert().values(token_columns(token)))

    def save_token(self, token: VerificationToken) -> None:
        is_it = _token_id == token.ipam_external_resource_verification_token_id
        self._connection.execute(tokens.update().where(is_it).values(token_columns(token)))

    def remove_token(self, token_id: str) -> None:
        self._connection.execute(tokens.delete().where(_token_id == token_id))

    def visible_tokens(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, VerificationToken]]:
        query = _TOKENS.where(
            tokens.c.owner_id == caller.account_id,
            tokens.c.ipam_region == caller.region,
            _token_id.in_(ids) if ids else sa.true(),
        )
        for key, row in in_order(self._connection, query, tokens.c.sequence, after):
            yield key, VerificationToken(**row)

    def byoasn(self, byoasn_id: str) -> Byoasn | None:
        row = self._first(_BYOASNS.where(byoasns.c.byoasn_id == byoasn_id))
        return byoasn_of(row) if row else None

    def byoasns(self, ipam_id: str) -> Sequence[Byoasn]:
        return self._byoasns(byoasns.c.ipam_id == ipam_id)

    def holder_of(self, asn: int) -> Byoasn | None:
        row = self._first(_BYOASNS.where(byoasns.c.asn == asn, byoasns.c.is_proven))
        return byoasn_of(row) if row else None

    def add_byoasn(self, byoasn: Byoasn) -> None:
        self._connection.execute(byoasns.insert().values(byoasn_columns(byoasn)))

    def save_byoasn(self, byoasn: Byoasn) -> None:
        is_it = byoasns.c.byoasn_id == byoasn.byoasn_id
        self._execute(byoasns.update().where(is_it).values(byoasn_columns(byoasn)))

    def visible_byoasns(
        self, caller: Caller, *, ended_after: datetime, after: str | None
    ) -> Iterator[tuple[str, Byoasn]]:
        query = _BYOASNS.where(
            byoasns.c.owner_id == caller.account_id,
            byoasns.c.ipam_region == caller.region,
            sa.or_(byoasns.c.ended_at.is_(None), byoasns.c.ended_at > ended_after),
        )
        for key, row in in_order(self._connection, query, byoasns.c.sequence, after):
            yield key, byoasn_of(row)

    def unproven_byoasns(self) -> Sequence[Byoasn]:
        return self._byoasns(byoasns.c.state == AsnState.PENDING_PROVISION)

    def prune_byoasns(self, ended_before: datetime) -> None:
        self._connection.execute(byoasns.delete().where(byoasns.c.ended_at <= ended_before))

    def prune_failed_ranges(self, failed_before: datetime) -> None:
        # Nothing that failed has associations, and what is being deprovisioned is a step's.
        has_failed = cidrs.c.state == ByoipCidrState.FAILED_PROVISION
        ended = cidrs.delete().where(has_failed, cidrs.c.failed_at <= failed_before)
        self._connection.execute(ended)

    def cidr(self, byoip_cidr_id: str, *, lock: bool) -> ByoipCidr | None:
        return self._one_cidr(cidrs.c.byoip_cidr_id == byoip_cidr_id, lock=lock)

    def cidr_of_pool(self, ipam_pool_cidr_id: str, *, lock: bool) -> ByoipCidr | None:
        return self._one_cidr(cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id, lock=lock)

    def cidrs_of_pools(self, ipam_pool_cidr_ids: Collection[str]) -> Mapping[str, ByoipCidr]:
        query = _CIDRS.where(cidrs.c.ipam_pool_cidr_id.in_(ipam_pool_cidr_ids))
        rows = self._all(query)
        found = [row["ipam_pool_cidr_id"] for row in rows]
        return dict(zip(found, self._with_associations(rows), strict=True))

    def range_of(self, owner_id: str, cidr: Cidr, *, lock: bool) -> ByoipCidr | None:
        is_it = sa.and_(cidrs.c.owner_id == owner_id, cidrs.c.cidr == str(cidr), _CAME_ALONE)
        return self._one_cidr(is_it, lock=lock)

    def ranges_in(self, owner_id: str, region: str) -> Sequence[ByoipCidr]:
        return self._cidrs(cidrs.c.owner_id == owner_id, cidrs.c.region == region, _CAME_ALONE)

    def ranges_of(self, owner_ids: Collection[str], region: str) -> Sequence[ByoipCidr]:
        return [
            cidr
            for some in in_chunks(owner_ids)
            for cidr in self._cidrs(
                cidrs.c.owner_id.in_(some), cidrs.c.region == region, _CAME_ALONE
            )
        ]

    def advertised_cidrs(self) -> Sequence[ByoipCidr]:
        return self._cidrs(cidrs.c.is_advertised)

    def pool_ranges(self, ipam_id: str) -> Collection[PoolRange]:
        query = sa.select(pool_ranges.c.ipam_pool_cidr_id, pool_ranges.c.cidr)
        found = self._connection.execute(query.where(pool_ranges.c.ipam_id == ipam_id))
        return {PoolRange(row.ipam_pool_cidr_id, Cidr.parse(row.cidr)) for row in found}

    def save_pool_ranges(self, ipam_id: str, ranges: Collection[PoolRange]) -> None:
        before = {*self.pool_ranges(ipam_id)}
        for gone in before.difference(ranges):
            is_it = pool_ranges.c.ipam_pool_cidr_id == gone.ipam_pool_cidr_id
            self._connection.execute(pool_ranges.delete().where(is_it))
        for new in {*ranges} - before:
            self._execute(
                pool_ranges.insert().values(
                    ipam_pool_cidr_id=new.ipam_pool_cidr_id, ipam_id=ipam_id, cidr=str(new.cidr)
                )
            )

    def published_roas(self) -> Sequence[Roa]:
        members = (roas.c.first_key, roas.c.prefix_length, roas.c.asn, roas.c.max_length)
        return [
            Roa(row.asn, Cidr.from_key(row.first_key, row.prefix_length), row.max_length, end)
            for row in self._connection.execute(sa.select(*members, roas.c.not_after))
            for end in [row.not_after]
        ]

    def unproven_ranges(self) -> Sequence[ByoipCidr]:
        is_pending = cidrs.c.state == ByoipCidrState.PENDING_PROVISION
        return self._cidrs(is_pending, sa.not_(cidrs.c.is_proven))

    def associated_with(self, asn: int) -> Sequence[Cidr]:
        is_of = cidrs.c.byoip_cidr_id == associations.c.byoip_cidr_id
        query = sa.select(cidrs.c.cidr).join_from(cidrs, associations, is_of)
        found = self._connection.execute(query.where(associations.c.asn == asn)).scalars()
        return sorted(map(Cidr.parse, found))

    def save_cidr(self, cidr: ByoipCidr) -> None:
        is_it, values = cidrs.c.byoip_cidr_id == cidr.byoip_cidr_id, cidr_columns(cidr)
        if not self._execute(cidrs.update().where(is_it).values(values)).rowcount:
            self._execute(cidrs.insert().values(values))
        self._remove_associations(cidr.byoip_cidr_id)
        for one in cidr.asn_associations:
            self._connection.execute(
                associations.insert().values(
                    byoip_cidr_id=cidr.byoip_cidr_id,
                    asn=one.asn,
                    state=one.state,
                    status_message=one.status_message,
                )
            )

    def remove_cidr(self, byoip_cidr_id: str) -> None:
        self._remove_associations(byoip_cidr_id)
        self._connection.execute(cidrs.delete().where(cidrs.c.byoip_cidr_id == byoip_cidr_id))

    def staying_cidrs(self) -> Sequence[ByoipCidr]:
        return self._cidrs(
            cidrs.c.ipam_pool_cidr_id.is_not(None),
            sa.or_(
                cidrs.c.is_advertised,
                cidrs.c.byoip_cidr_id.in_(sa.select(associations.c.byoip_cidr_id)),
            ),
        )

    def rested_cidrs(self) -> Sequence[ByoipCidr]:
        return self._cidrs(
            cidrs.c.ipam_pool_cidr_id.is_not(None),
            cidrs.c.state == ByoipCidrState.PROVISIONED,
            cidrs.c.byoip_cidr_id.not_in(sa.select(associations.c.byoip_cidr_id)),
        )

    def remove_of_ipam(self, ipam_id: str) -> None:
        for table in (tokens, byoasns, pool_ranges):
            self._connection.execute(table.delete().where(table.c.ipam_id == ipam_id))

    def _byoasns(self, condition: sa.ColumnElement[bool]) -> Sequence[Byoasn]:
        query = _BYOASNS.where(condition).order_by(byoasns.c.sequence)
        return [byoasn_of(row) for row in self._all(query)]

    def _one_cidr(self, condition: sa.ColumnElement[bool], *, lock: bool) -> ByoipCidr | None:
        query = _CIDRS.where(condition)
        row = self._first(query.with_for_update() if lock else query)
        # Read after the lock was got, for they are under it.
        return self._with_associations([row])[0] if row else None

    def _cidrs(self, *conditions: sa.ColumnElement[bool]) -> Sequence[ByoipCidr]:
        query = _CIDRS.where(*conditions).order_by(cidrs.c.sequence)
        return self._with_associations(self._all(query))

    def _with_associations(self, rows: Sequence[sa.RowMapping]) -> list[ByoipCidr]:
        found: dict[str, list[AsnAssociation]] = {row["byoip_cidr_id"]: [] for row in rows}
        query = sa.select(associations).where(associations.c.byoip_cidr_id.in_(found))
        for row in self._all(query.order_by(associations.c.sequence)):
            association = AsnAssociation(row["asn"], row["state"], row["status_message"])
            found[row["byoip_cidr_id"]].append(association)
        return [cidr_of(row, found[row["byoip_cidr_id"]]) for row in rows]

    def _remove_associations(self, byoip_cidr_id: str) -> None:
        is_of = associations.c.byoip_cidr_id == byoip_cidr_id
        self._connection.execute(associations.delete().where(is_of))

    def _execute(self, statement: sa.Insert | sa.Update) -> sa.CursorResult[Any]:
        try:
            return self._connection.execute(statement)
        except IntegrityError as error:
            raise ConcurrentModification from error

    def _first(self, query: sa.Select[Any]) -> sa.RowMapping | None:
        return self._connection.execute(query).mappings().first()

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        return self._connection.execute(query).mappings().all()
