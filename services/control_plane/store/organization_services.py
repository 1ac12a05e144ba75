"""`ServiceRows` in SQL."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.control_plane.organizations.account import Account
from services.control_plane.organizations.service_access import Administrator, ServiceAccess
from services.control_plane.store.organization_tree import ACCOUNTS
from services.control_plane.tables import (
    delegated_administrators,
    organization_accounts,
    organization_services,
)

_services, _administrators = organization_services.c, delegated_administrators.c


class SqlServiceRows:
    """The services that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, organization_id: str, service_principal: str, since: datetime) -> None:
        is_it = self._is_service(organization_id, service_principal)
        if self._connection.execute(sa.select(_services.since).where(is_it)).first() is None:
            row = {
                "organization_id": organization_id,
                "service_principal": service_principal,
                "since": since,
            }
            self._connection.execute(organization_services.insert().values(row))

    def remove(self, organization_id: str, service_principal: str) -> None:
        is_it = self._is_service(organization_id, service_principal)
        self._connection.execute(organization_services.delete().where(is_it))

    def all(self, organization_id: str, after: str | None) -> Iterator[tuple[str, ServiceAccess]]:
        query = sa.select(_services.service_principal, _services.since)
        return self._by_name(
            query.where(_services.organization_id == organization_id),
            _services.service_principal,
            after,
        )

    def register(
        self, organization_id: str, account_id: str, service_principal: str, since: datetime
    ) -> None:
        row = {
            "organization_id": organization_id,
            "account_id": account_id,
            "service_principal": service_principal,
            "since": since,
        }
        self._connection.execute(delegated_administrators.insert().values(row))

    def deregister(self, organization_id: str, service_principal: str) -> None:
        removal = delegated_administrators.delete().where(
            _administrators.organization_id == organization_id,
            _administrators.service_principal == service_principal,
        )
        self._connection.execute(removal)

    def administrators(
        self, organization_id: str, service_principal: str | None, after: str | None
    ) -> Iterator[tuple[str, Administrator]]:
        # There are no more than there are services, so the list is read whole.
        is_of_service = (
            _administrators.service_principal == service_principal
            if service_principal
            else sa.true()
        )
        first = (
            sa.select(
                _administrators.account_id,
                sa.func.min(_administrators.sequence).label("sequence"),
                sa.func.min(_administrators.since, type_=_administrators.since.type).label("since"),
            )
            .where(_administrators.organization_id == organization_id, is_of_service)
            .group_by(_administrators.account_id)
            .subquery()
        )
        query = ACCOUNTS.add_columns(first.c.since, first.c.sequence).join(
            first, first.c.account_id == organization_accounts.c.account_id
        )
        for row in self._connection.execute(query.order_by(first.c.sequence)).mappings():
            values = dict(row)
            since, key = values.pop("since"), f"{values.pop('sequence'):020}"
            if after is None or key > after:
                yield key, Administrator(Account(**values), since)

    def of_account(self, account_id: str, after: str | None) -> Iterator[tuple[str, ServiceAccess]]:
        query = sa.select(_administrators.service_principal, _administrators.since)
        return self._by_name(
            query.where(_administrators.account_id == account_id),
            _administrators.service_principal,
            after,
        )

    def _by_name(
        self, query: sa.Select[Any], name: sa.Column[str], after: str | None
    ) -> Iterator[tuple[str, ServiceAccess]]:
        for row in self._connection.execute(query.where(name > (after or "")).order_by(name)):
            yield row.service_principal, ServiceAccess(row.service_principal, row.since)

    def _is_service(self, organization_id: str, service_principal: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            _services.organization_id == organization_id,
            _services.service_principal == service_principal,
        )
