"""`UnitRows` and `AccountRows` in SQL."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.control_plane.organizations.account import Account, AccountCreation
from services.control_plane.organizations.errors import ConcurrentModification
from services.control_plane.organizations.unit import Unit
from services.control_plane.store.in_order import in_order
from services.control_plane.tables import (
    account_creations,
    organization_accounts,
    organizational_units,
    policy_attachments,
)
from shared.tags import Tags

_units, _accounts = organizational_units.c, organization_accounts.c
_NOT_OF_RECORDS = {"sequence", "tags"}
_UNITS = sa.select(*(column for column in _units if column.name not in _NOT_OF_RECORDS))
ACCOUNTS = sa.select(*(column for column in _accounts if column.name not in _NOT_OF_RECORDS))


class SqlUnitRows:
    """The OUs that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, organization_id: str, unit_id: str) -> Unit | None:
        query = _UNITS.where(_units.organization_id == organization_id, _units.unit_id == unit_id)
        row = self._connection.execute(query).mappings().first()
        return Unit(**row) if row else None

    def count(self, organization_id: str) -> int:
        return _count(self._connection, organizational_units, organization_id)

    def is_named(self, parent_id: str, name: str) -> bool:
        query = _UNITS.where(_units.parent_id == parent_id, _units.name == name)
        return self._connection.execute(query).first() is not None

    def below(self, parent_id: str, after: str | None) -> Iterator[tuple[str, Unit]]:
        query = _UNITS.where(_units.parent_id == parent_id)
        for key, row in in_order(self._connection, query, _units.sequence, after):
            yield key, Unit(**row)

    def in_organization(self, organization_id: str) -> Sequence[Unit]:
        """All of one, the oldest first."""
        query = _UNITS.where(_units.organization_id == organization_id).order_by(_units.sequence)
        return [Unit(**row) for row in self._connection.execute(query).mappings()]

    def add(self, unit: Unit, tags: Tags) -> None:
        row = _values(unit, organizational_units) | {"tags": tags}
        self._connection.execute(organizational_units.insert().values(row))

    def rename(self, unit_id: str, name: str) -> None:
        change = organizational_units.update().where(_units.unit_id == unit_id).values(name=name)
        self._connection.execute(change)

    def remove(self, unit_id: str) -> None:
        _detach_all_from(self._connection, unit_id)
        self._connection.execute(organizational_units.delete().where(_units.unit_id == unit_id))


class SqlAccountRows:
    """The accounts that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, organization_id: str, account_id: str) -> Account | None:
        query = ACCOUNTS.where(
            _accounts.organization_id == organization_id, _accounts.account_id == account_id
        )
        row = self._connection.execute(query).mappings().first()
        return Account(**row) if row else None

    def count(self, organization_id: str) -> int:
        return _count(self._connection, organization_accounts, organization_id)

    def has_email(self, email: str) -> bool:
        query = sa.select(_accounts.sequence).where(_accounts.email == email)
        return self._connection.execute(query).first() is not None

    def all(self, organization_id: str, after: str | None) -> Iterator[tuple[str, Account]]:
        return self._listed(_accounts.organization_id == organization_id, after)

    def below(self, parent_id: str, after: str | None) -> Iterator[tuple[str, Account]]:
        return self._listed(_accounts.parent_id == parent_id, after)

    def in_organization(self, organization_id: str) -> Sequence[Account]:
        """All of one, the oldest first."""
        query = ACCOUNTS.where(_accounts.organization_id == organization_id)
        rows = self._connection.execute(query.order_by(_accounts.sequence)).mappings()
        return [Account(**row) for row in rows]

    def add(self, account: Account, tags: Tags) -> None:
        row = _values(account, organization_accounts) | {"tags": tags}
        try:
            self._connection.execute(organization_accounts.insert().values(row))
        except IntegrityError as error:
            raise ConcurrentModification from error

    def move(self, account_id: str, parent_id: str) -> None:
        is_it = _accounts.account_id == account_id
        change = organization_accounts.update().where(is_it).values(parent_id=parent_id)
        self._connection.execute(change)

    def remove(self, account_id: str) -> None:
        _detach_all_from(self._connection, account_id)
        removal = organization_accounts.delete().where(_accounts.account_id == account_id)
        self._connection.execute(removal)

    def add_creation(self, creation: AccountCreation) -> None:
        row = _values(creation, account_creations)
        self._connection.execute(account_creations.insert().values(row))

    def creation(self, organization_id: str, request_id: str) -> AccountCreation | None:
        columns = account_creations.c
        query = sa.select(account_creations).where(
            columns.organization_id == organization_id, columns.request_id == request_id
        )
        row = self._connection.execute(query).mappings().first()
        return AccountCreation(**row) if row else None

    def _listed(
        self, condition: sa.ColumnElement[bool], after: str | None
    ) -> Iterator[tuple[str, Account]]:
        query = ACCOUNTS.where(condition)
        for key, row in in_order(self._connection, query, _accounts.sequence, after):
            yield key, Account(**row)


def _count(connection: sa.Connection, table: sa.Table, organization_id: str) -> int:
    is_in_it = table.c.organization_id == organization_id
    count: int = connection.execute(
        sa.select(sa.func.count()).select_from(table).where(is_in_it)
    ).scalar_one()
    return count


def _detach_all_from(connection: sa.Connection, target_id: str) -> None:
    removal = policy_attachments.delete().where(policy_attachments.c.target_id == target_id)
    connection.execute(removal)


def _values(record: Unit | Account | AccountCreation, table: sa.Table) -> dict[str, Any]:
    return {
        column.name: getattr(record, column.name)
        for column in table.c
        if column.name not in _NOT_OF_RECORDS
    }
