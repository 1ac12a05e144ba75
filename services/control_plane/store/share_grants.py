"""Who may use what, as shares and organizations stand (ORG-4, ORG-5)."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from services.control_plane.organizations.membership import SHARING_SERVICE, Membership
from services.control_plane.service.organization_rows import OrganizationRows
from services.control_plane.sharing.arns import ResourceType
from services.control_plane.sharing.grant import (
    NO_ORGANIZATION,
    Grant,
    Organization,
    stands,
    users,
)
from services.control_plane.sharing.permissions import PERMISSIONS
from services.control_plane.sharing.share import AssociationStatus, ShareStatus
from services.control_plane.tables import (
    resource_share_principals as principals,
)
from services.control_plane.tables import (
    resource_share_resources as resources,
)
from services.control_plane.tables import (
    resource_shares as shares,
)

_ALLOCATING = [permission.arn for permission in PERMISSIONS if permission.lets_allocate]
_IMPORTING = [permission.arn for permission in PERMISSIONS if permission.lets_import]

_GRANT = (
    shares.c.owner_id,
    shares.c.allow_external_principals,
    principals.c.kind,
    principals.c.holder_id,
    principals.c.organization_id,
    principals.c.invitation_expires_at,
)
_PRINCIPALS_OF_SHARES = shares.join(
    principals,
    sa.and_(
        principals.c.resource_share_arn == shares.c.resource_share_arn,
        principals.c.status == AssociationStatus.ASSOCIATED,
        shares.c.status == ShareStatus.ACTIVE,
    ),
)
_USERS_OF_RESOURCES = _PRINCIPALS_OF_SHARES.join(
    resources,
    sa.and_(
        resources.c.resource_share_arn == shares.c.resource_share_arn,
        resources.c.status == AssociationStatus.ASSOCIATED,
    ),
)
_LETS_ALLOCATE = sa.and_(
    resources.c.resource_type == ResourceType.IPAM_POOL,
    shares.c.pool_permission_arn.in_(_ALLOCATING),
)
_LETS_IMPORT = sa.and_(
    resources.c.resource_type == ResourceType.IPAM_POOL,
    shares.c.pool_permission_arn.in_(_IMPORTING),
)
_IS_DISCOVERY = resources.c.resource_type == ResourceType.IPAM_RESOURCE_DISCOVERY


class SqlGrants:
    """What one connection's transaction sees of it."""

    def __init__(self, connection: sa.Connection, organizations: OrganizationRows) -> None:
        self._connection, self._organizations = connection, organizations

    def users_of_pools(self, ipam_pool_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """By pool; owners and OUs are looked up once each, however many pools they have."""
        query = (
            sa.select(resources.c.resource_id, *_GRANT)
            .select_from(_USERS_OF_RESOURCES)
            .where(_LETS_ALLOCATE, resources.c.resource_id.in_(ipam_pool_ids))
        )
        grants: dict[str, list[Grant]] = {pool_id: [] for pool_id in ipam_pool_ids}
        for row in self._all(query):
            grants[row["resource_id"]].append(_grant_of(row))
        own, accounts_in = cache(self._organization_of), cache(self._organizations.accounts_in)
        return {
            pool_id: users(found, own(found[0].owner_id), accounts_in) if found else frozenset()
            for pool_id, found in grants.items()
        }

    def pools_for(self, account_id: str) -> frozenset[str]:
        return self._resources_for(account_id, _LETS_ALLOCATE)

    def pools_importable_by(self, account_id: str) -> frozenset[str]:
        return self._resources_for(account_id, _LETS_IMPORT)

    def discoveries_for(self, account_id: str) -> frozenset[str]:
        return self._resources_for(account_id, _IS_DISCOVERY)

    def shares_with(self, account_id: str) -> frozenset[str]:
        """The ARNs of the shares that an account is a principal of."""
        query = sa.select(shares.c.resource_share_arn, *_GRANT).select_from(_PRINCIPALS_OF_SHARES)
        return frozenset(row["resource_share_arn"] for row in self._standing(account_id, query))

    def pools_shared_within(self, organization_id: str) -> frozenset[str]:
        query = (
            sa.select(resources.c.resource_id)
            .select_from(_USERS_OF_RESOURCES)
            .where(_LETS_ALLOCATE, principals.c.organization_id == organization_id)
        )
        return frozenset(self._connection.execute(query).scalars())

    def _resources_for(self, account_id: str, condition: sa.ColumnElement[bool]) -> frozenset[str]:
        query = (
            sa.select(resources.c.resource_id, *_GRANT)
            .select_from(_USERS_OF_RESOURCES)
            .where(condition)
        )
        return frozenset(row["resource_id"] for row in self._standing(account_id, query))

    def _standing(self, account_id: str, query: sa.Select[Any]) -> list[sa.RowMapping]:
        """Those of a query's rows whose grants reach an account and count."""
        mine = self._organizations.membership(account_id)
        holders = [account_id, *(mine.holders if mine else ()), *_organization_ids(mine)]
        found = self._all(
            query.where(principals.c.holder_id.in_(holders), shares.c.owner_id != account_id)
        )
        own = self._organization_ids_of({row["owner_id"] for row in found})
        is_sharing = bool(found) and mine is not None and self._is_sharing(mine.organization_id)

        def counts(row: sa.RowMapping) -> bool:
            common = row["organization_id"]
            is_within = (
                mine is not None
                and common == mine.organization_id
                and common == own[row["owner_id"]]
            )
            return stands(_grant_of(row), is_within=is_within, is_sharing=is_sharing)

        return [row for row in found if counts(row)]

    def _organization_of(self, account_id: str) -> Organization:
        found = self._organizations.membership(account_id)
        if found is None:
            return NO_ORGANIZATION
        return Organization(
            found.organization_id,
            self._organizations.accounts_in(found.organization_id),
            is_sharing=self._is_sharing(found.organization_id),
        )

    def _organization_ids_of(self, account_ids: Collection[str]) -> Mapping[str, str | None]:
        found = {account: self._organizations.membership(account) for account in account_ids}
        return {account: one.organization_id if one else None for account, one in found.items()}

    def _is_sharing(self, organization_id: str) -> bool:
        return self._organizations.has_service_access(organization_id, SHARING_SERVICE)

    def _all(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        return self._connection.execute(query).mappings().all()


def _grant_of(row: sa.RowMapping) -> Grant:
    return Grant(
        owner_id=row["owner_id"],
        allow_external_principals=row["allow_external_principals"],
        kind=row["kind"],
        holder_id=row["holder_id"],
        organization_id=row["organization_id"],
        is_invited=row["invitation_expires_at"] is not None,
    )


def _organization_ids(membership: Membership | None) -> tuple[str, ...]:
    return (membership.organization_id,) if membership else ()
