"""`ShareRows` in SQL."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.control_plane import tables
from services.control_plane.service.organization_rows import OrganizationRows
from services.control_plane.sharing.invitation import Invitation, InvitationStatus
from services.control_plane.sharing.listing import ResourceOwner, Wanted
from services.control_plane.sharing.share import (
    AssociationStatus,
    Share,
    SharedResource,
    SharePrincipal,
    ShareStatus,
)
from services.control_plane.store.in_order import in_order
from services.control_plane.store.share_grants import SqlGrants
from services.control_plane.store.share_records import (
    columns_of,
    invitation_of,
    principal_of,
    resource_of,
    share_columns,
    share_of,
)
from shared.caller import Caller

shares = tables.resource_shares
resources = tables.resource_share_resources
principals = tables.resource_share_principals
invitations = tables.resource_share_invitations

_SHARES = sa.select(*(column for column in shares.c if column.name != "sequence"))


def _with_share_name(table: sa.Table) -> sa.Select[Any]:
    own = (column for column in table.c if column.name != "sequence")
    return sa.select(*own, shares.c.name.label("share_name")).join_from(table, shares)


_RESOURCES = _with_share_name(resources)
_PRINCIPALS = _with_share_name(principals)
_INVITATIONS = _with_share_name(invitations)


class SqlShareRows:
    """The shares that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection, organizations: OrganizationRows) -> None:
        self._connection = connection
        self._grants = SqlGrants(connection, organizations)

    def users_of_pools(self, ipam_pool_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        return self._grants.users_of_pools(ipam_pool_ids)

    def pools_for(self, account_id: str) -> frozenset[str]:
        return self._grants.pools_for(account_id)

    def pools_importable_by(self, account_id: str) -> frozenset[str]:
        return self._grants.pools_importable_by(account_id)

    def discoveries_for(self, account_id: str) -> frozenset[str]:
        return self._grants.discoveries_for(account_id)

    def pools_shared_within(self, organization_id: str) -> Collection[str]:
        return self._grants.pools_shared_within(organization_id)

    def share(self, resource_share_arn: str, *, lock: bool) -> Share | None:
        query = _SHARES.where(shares.c.resource_share_arn == resource_share_arn)
        row = self._first(query.with_for_update() if lock else query)
        return share_of(row) if row else None

    def share_count(self, owner_id: str, region: str) -> int:
        query = sa.select(sa.func.count()).where(
            shares.c.owner_id == owner_id,
            shares.c.region == region,
            shares.c.status == ShareStatus.ACTIVE,
        )
        return self._connection.execute(query).scalar_one()

    def add(self, share: Share) -> None:
        self._connection.execute(shares.insert().values(share_columns(share)))

    def save(self, share: Share) -> None:
        is_it = shares.c.resource_share_arn == share.resource_share_arn
        self._connection.execute(shares.update().where(is_it).values(share_columns(share)))

    def resources(self, resource_share_arn: str) -> Mapping[str, SharedResource]:
        query = _RESOURCES.where(resources.c.resource_share_arn == resource_share_arn)
        found = map(resource_of, self._all(query.order_by(resources.c.sequence)))
        return {resource.resource_arn: resource for resource in found}

    def save_resource(self, resource: SharedResource) -> None:
        self._put(resource, resources, resources.c.resource_arn == resource.resource_arn)

    def principals(self, resource_share_arn: str) -> Mapping[str, SharePrincipal]:
        query = _PRINCIPALS.where(principals.c.resource_share_arn == resource_share_arn)
        found = map(principal_of, self._all(query.order_by(principals.c.sequence)))
        return {principal.principal: principal for principal in found}

    def save_principal(self, principal: SharePrincipal) -> None:
        self._put(principal, principals, principals.c.principal == principal.principal)

    def end(self, resource_share_arn: str, now: datetime) -> None:
        for table in (resources, principals):
            self._connection.execute(
                table.update()
                .where(
                    table.c.resource_share_arn == resource_share_arn,
                    table.c.status != AssociationStatus.DISASSOCIATED,
                )
                .values(status=AssociationStatus.DISASSOCIATED, updated_at=now)
            )
        self._withdraw(invitations.c.resource_share_arn == resource_share_arn)

    def forget(self, resource_ids: Collection[str]) -> None:
        self._connection.execute(
            resources.delete().where(resources.c.resource_id.in_(resource_ids))
        )

    def invitation(self, invitation_arn: str) -> Invitation | None:
        row = self._first(_INVITATIONS.where(invitations.c.invitation_arn == invitation_arn))
        return invitation_of(row) if row else None

    def add_invitation(self, invitation: Invitation) -> None:
        values = columns_of(invitation, invitations)
        self._connection.execute(invitations.insert().values(values))

    def save_invitation(self, invitation: Invitation) -> None:
        is_it = invitations.c.invitation_arn == invitation.invitation_arn
        values = columns_of(invitation, invitations)
        self._connection.execute(invitations.update().where(is_it).values(values))

    def withdraw_invitation(self, resource_share_arn: str, receiver_id: str) -> None:
        self._withdraw(
            invitations.c.resource_share_arn == resource_share_arn,
            invitations.c.receiver_id == receiver_id,
        )

    def has(self, caller: Caller, resource_share_arn: str) -> bool:
        wanted = Wanted(owner=ResourceOwner.OTHER_ACCOUNTS, share_arns=[resource_share_arn])
        return next(self.listed(caller, wanted, None), None) is not None

    def listed(
        self, caller: Caller, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, Share]]:
        query = _SHARES.where(*self._seen(caller, wanted), _with_resources(wanted))
        for key, row in in_order(self._connection, query, shares.c.sequence, after):
            yield key, share_of(row)

    def listed_resources(
        self, caller: Caller, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, SharedResource]]:
        query = _RESOURCES.where(
            *self._seen(caller, wanted), _with_principals(wanted), _is_wanted_resource(wanted)
        )
        for key, row in in_order(self._connection, query, resources.c.sequence, after):
            yield key, resource_of(row)

    def listed_principals(
        self, caller: Caller, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, SharePrincipal]]:
        query = _PRINCIPALS.where(
            *self._seen(caller, wanted),
            _with_resources(wanted),
            _among(principals.c.principal, wanted.principals),
        )
        for key, row in in_order(self._connection, query, principals.c.sequence, after):
            yield key, principal_of(row)

    def listed_invitations(
        self,
        caller: Caller,
        *,
        invitation_arns: Collection[str],
        share_arns: Collection[str],
        after: str | None,
    ) -> Iterator[tuple[str, Invitation]]:
        is_theirs = sa.or_(
            invitations.c.receiver_id == caller.account_id,
            invitations.c.sender_id == caller.account_id,
        )
        query = _INVITATIONS.where(
            is_theirs,
            shares.c.region == caller.region,
            _among(invitations.c.invitation_arn, invitation_arns),
            _among(invitations.c.resource_share_arn, share_arns),
        )
        for key, row in in_order(self._connection, query, invitations.c.sequence, after):
            yield key, invitation_of(row)

    def _seen(self, caller: Caller, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
        conditions = [
            shares.c.region == caller.region,
            _among(shares.c.resource_share_arn, wanted.share_arns),
        ]
        if wanted.owner is ResourceOwner.SELF:
            return [*conditions, shares.c.owner_id == caller.account_id]
        with_caller = self._grants.shares_with(caller.account_id)
        is_any_owner = caller.account_id in wanted.principals
        return [
            *conditions,
            shares.c.resource_share_arn.in_(with_caller),
            _among(shares.c.owner_id, () if is_any_owner else wanted.principals),
        ]

    def _put(
        self,
        record: SharedResource | SharePrincipal,
        table: sa.Table,
        is_it: sa.ColumnElement[bool],
    ) -> None:
        values = columns_of(record, table)
        of_share = table.c.resource_share_arn == record.resource_share_arn
        changed = self._connection.execute(table.update().where(of_share, is_it).values(values))
        if not changed.rowcount:
            self._connection.execute(table.insert().values(values))

    def _withdraw(self, *conditions: sa.ColumnElement[bool]) -> None:
        self._connection.execute(
            invitations.update()
            .where(invitations.c.status == InvitationStatus.PENDING, *conditions)
            .values(status=InvitationStatus.EXPIRED)
        )

    def _first(self, query: sa.Select[Any]) -> sa.RowMapping | None:
        return self._connection.execute(query).mappings().first()

    def _all(self, query: sa.Select[Any]) -> list[sa.RowMapping]:
        return list(self._connection.execute(query).mappings())


def _with_principals(wanted: Wanted) -> sa.ColumnElement[bool]:
    """Own shares that have one of the principals; of others' shares these are the owners."""
    if wanted.owner is not ResourceOwner.SELF or not wanted.principals:
        return sa.true()
    having = sa.select(principals.c.resource_share_arn).where(
        principals.c.status == AssociationStatus.ASSOCIATED,
        principals.c.principal.in_(wanted.principals),
    )
    return shares.c.resource_share_arn.in_(having)


def _with_resources(wanted: Wanted) -> sa.ColumnElement[bool]:
    """Shares that have one of the resources."""
    if not wanted.resource_arns and wanted.resource_type is None:
        return sa.true()
    having = sa.select(resources.c.resource_share_arn).where(
        resources.c.status == AssociationStatus.ASSOCIATED, _is_wanted_resource(wanted)
    )
    return shares.c.resource_share_arn.in_(having)


def _is_wanted_resource(wanted: Wanted) -> sa.ColumnElement[bool]:
    is_of_type = (
        sa.true()
        if wanted.resource_type is None
        else resources.c.resource_type == wanted.resource_type
    )
    return sa.and_(_among(resources.c.resource_arn, wanted.resource_arns), is_of_type)


def _among(column: sa.Column[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    return column.in_(values) if values else sa.true()
