"""`OrganizationRows` in SQL."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.control_plane.organizations.membership import Membership
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.policy import FULL_AWS_ACCESS
from services.control_plane.organizations.snapshot import Snapshot, snapshot_of
from services.control_plane.organizations.unit import holders_of
from services.control_plane.store.organization_policies import SqlPolicyRows
from services.control_plane.store.organization_services import SqlServiceRows
from services.control_plane.store.organization_tree import SqlAccountRows, SqlUnitRows
from services.control_plane.tables import (
    account_creations,
    delegated_administrators,
    organization_accounts,
    organization_policies,
    organization_services,
    organizational_units,
    organizations,
    policy_attachments,
)
from shared.tags import Tags

_COLUMNS = [column for column in organizations.c if column.name not in {"sequence", "root_tags"}]
_MEMBERSHIPS = sa.select(
    organization_accounts.c.account_id,
    organizations.c.organization_id,
    organizations.c.management_account_id,
    organizations.c.root_id,
    organizational_units.c.path,
).select_from(
    organization_accounts.join(
        organizations, organizations.c.organization_id == organization_accounts.c.organization_id
    ).outerjoin(
        # The root is none, so an account directly below it has no path here.
        organizational_units,
        organizational_units.c.unit_id == organization_accounts.c.parent_id,
    )
)
# Those that others point to come last.
_PARTS = (
    policy_attachments,
    organization_policies,
    delegated_administrators,
    organization_services,
    account_creations,
    organization_accounts,
    organizational_units,
)
_TAGGED = (
    (organizational_units, organizational_units.c.unit_id, "tags"),
    (organization_accounts, organization_accounts.c.account_id, "tags"),
    (organization_policies, organization_policies.c.policy_id, "tags"),
    (organizations, organizations.c.root_id, "root_tags"),
)


class SqlOrganizationRows:
    """The organizations that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.units = SqlUnitRows(connection)
        self.accounts = SqlAccountRows(connection)
        self.services = SqlServiceRows(connection)
        self.policies = SqlPolicyRows(connection)

    def hold(self, organization_id: str) -> None:
        # A statement of its own: what is read next is as it was when the lock was got.
        is_it = organizations.c.organization_id == organization_id
        query = sa.select(organizations.c.sequence).where(is_it).with_for_update()
        self._connection.execute(query)

    def membership(self, account_id: str) -> Membership | None:
        is_it = organization_accounts.c.account_id == account_id
        return next(self._memberships(is_it), None)

    def memberships(self, organization_id: str) -> Sequence[Membership]:
        return list(self._memberships(organizations.c.organization_id == organization_id))

    def accounts_in(self, holder_id: str) -> frozenset[str]:
        accounts = organization_accounts
        holder = organizations.c
        whole = sa.select(holder.organization_id).where(
            sa.or_(holder.organization_id == holder_id, holder.root_id == holder_id)
        )
        below = sa.select(organizational_units.c.unit_id).where(
            organizational_units.c.path.contains(f"/{holder_id}/", autoescape=True)
        )
        is_within = sa.or_(accounts.c.organization_id.in_(whole), accounts.c.parent_id.in_(below))
        query = sa.select(accounts.c.account_id).where(is_within)
        return frozenset(self._connection.execute(query).scalars())

    def has_unit(self, path: str) -> bool:
        columns = organizational_units.c
        query = sa.select(columns.sequence).where(columns.path == path)
        return self._connection.execute(query).first() is not None

    def delegated_administrator(self, organization_id: str, service_principal: str) -> str | None:
        columns = delegated_administrators.c
        query = sa.select(columns.account_id).where(
            columns.organization_id == organization_id,
            columns.service_principal == service_principal,
        )
        return self._connection.execute(query).scalar()

    def has_service_access(self, organization_id: str, service_principal: str) -> bool:
        columns = organization_services.c
        query = sa.select(columns.since).where(
            columns.organization_id == organization_id,
            columns.service_principal == service_principal,
        )
        return self._connection.execute(query).first() is not None

    def get(self, organization_id: str) -> Organization | None:
        query = sa.select(*_COLUMNS).where(organizations.c.organization_id == organization_id)
        row = self._connection.execute(query).mappings().first()
        return Organization(**row) if row else None

    def add(self, organization: Organization) -> bool:
        dialect: Any = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        values = _values(organization) | {"root_tags": {}}
        insert = dialect.insert(organizations).values(values).on_conflict_do_nothing()
        added = self._connection.execute(insert.returning(organizations.c.sequence)).first()
        return added is not None

    def save(self, organization: Organization) -> None:
        is_it = organizations.c.organization_id == organization.organization_id
        change = organizations.update().where(is_it).values(_values(organization))
        self._connection.execute(change)

    def remove(self, organization_id: str) -> None:
        for table in (*_PARTS, organizations):
            is_part = table.c.organization_id == organization_id
            self._connection.execute(table.delete().where(is_part))

    def tags(self, organization_id: str, resource_id: str) -> Tags | None:
        for table, id_column, name in _TAGGED:
            query = sa.select(table.c[name]).where(
                id_column == resource_id, table.c.organization_id == organization_id
            )
            if row := self._connection.execute(query).first():
                tags: Tags = row[0]
                return tags
        return None

    def save_tags(self, resource_id: str, tags: Tags) -> None:
        for table, id_column, name in _TAGGED:
            change = table.update().where(id_column == resource_id).values({name: tags})
            self._connection.execute(change)

    def versions(self) -> Mapping[str, int]:
        query = sa.select(organizations.c.organization_id, organizations.c.version)
        return {row.organization_id: row.version for row in self._connection.execute(query)}

    def snapshot(self, organization_id: str) -> Snapshot | None:
        organization = self.get(organization_id)
        if organization is None:
            return None
        attached = self.policies.attached_in(organization_id)
        documents = self.policies.documents_in(organization_id)
        if any(FULL_AWS_ACCESS.policy_id in policy_ids for policy_ids in attached.values()):
            documents[FULL_AWS_ACCESS.policy_id] = FULL_AWS_ACCESS.content
        return snapshot_of(
            organization,
            self.units.in_organization(organization_id),
            self.accounts.in_organization(organization_id),
            attached,
            documents,
        )

    def _memberships(self, condition: sa.ColumnElement[bool]) -> Iterator[Membership]:
        query = _MEMBERSHIPS.where(condition).order_by(organization_accounts.c.sequence)
        for row in self._connection.execute(query):
            holders = holders_of(row.path)[1:] if row.path else [row.root_id]
            yield Membership(
                account_id=row.account_id,
                organization_id=row.organization_id,
                management_account_id=row.management_account_id,
                holders=tuple(holders),
            )


def _values(organization: Organization) -> dict[str, Any]:
    return {column.name: getattr(organization, column.name) for column in _COLUMNS}
