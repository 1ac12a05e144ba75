"""Resolvers and their versions."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.discovery.resolvers.resolver import (
    CreationStatus,
    Resolver,
    ResolverState,
    Version,
)
from services.discovery.store.reading import along, int_of_64_bits, parsed_key
from services.discovery.store.resolvers.rules import rule_from_json, rule_to_json
from services.discovery.tables import prefix_list_resolver_versions as versions
from services.discovery.tables import prefix_list_resolvers as resolvers
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr


class SqlResolverRows:
    """`ResolverRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, caller: Caller, resolver_id: str, *, lock: bool) -> Resolver | None:
        return self._one(_is_it(resolver_id), *_is_callers(caller), lock=lock)

    def all(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, Resolver]]:
        is_wanted = resolvers.c.resolver_id.in_(ids) if ids else sa.true()
        query = sa.select(resolvers).where(is_wanted, *_is_callers(caller))
        start = parsed_key(after, int_of_64_bits)
        for row in along(self._connection, query, (resolvers.c.sequence,), start):
            yield str(row.sequence), _resolver(row)

    def known(self, resolver_id: str) -> Resolver | None:
        return self._one(_is_it(resolver_id), lock=False)

    def locked(self, resolver_id: str) -> Resolver | None:
        return self._one(_is_it(resolver_id), lock=True)

    def of_ipam(self, ipam_id: str, *, lock: bool) -> Sequence[Resolver]:
        query = sa.select(resolvers).where(resolvers.c.ipam_id == ipam_id)
        query = query.order_by(resolvers.c.resolver_id)
        rows = self._connection.execute(query.with_for_update() if lock else query)
        return [_resolver(row) for row in rows]

    def ipam_ids(self) -> Collection[str]:
        return self._connection.scalars(sa.select(resolvers.c.ipam_id).distinct()).all()

    def add(self, resolver: Resolver) -> None:
        self._connection.execute(
            resolvers.insert().values(
                resolver_id=resolver.resolver_id,
                owner_id=resolver.owner_id,
                region=resolver.region,
                ipam_id=resolver.ipam_id,
                address_family=resolver.family.value,
                **_changeable(resolver),
            )
        )

    def save(self, resolver: Resolver) -> None:
        is_it = _is_it(resolver.resolver_id)
        self._connection.execute(resolvers.update().where(is_it).values(**_changeable(resolver)))

    def remove(self, resolver_id: str) -> None:
        is_its = versions.c.resolver_id == resolver_id
        self._connection.execute(versions.delete().where(is_its))
        self._connection.execute(resolvers.delete().where(_is_it(resolver_id)))

    def _one(self, *conditions: sa.ColumnElement[bool], lock: bool) -> Resolver | None:
        query = sa.select(resolvers).where(*conditions)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return _resolver(row) if row else None


class SqlVersionRows:
    """`VersionRows` of one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def cidrs(self, resolver_id: str, number: int) -> Sequence[Cidr] | None:
        query = sa.select(versions.c.cidrs).where(
            versions.c.resolver_id == resolver_id, versions.c.version == number
        )
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else [Cidr.parse(text) for text in found]

    def all(self, resolver_id: str) -> Sequence[Version]:
        query = sa.select(versions.c.version, versions.c.created_at)
        rows = self._connection.execute(
            query.where(versions.c.resolver_id == resolver_id).order_by(versions.c.version)
        )
        return [Version(row.version, row.created_at) for row in rows]

    def add(self, resolver_id: str, number: int, cidrs: Sequence[Cidr], now: datetime) -> None:
        self._connection.execute(
            versions.insert().values(
                resolver_id=resolver_id,
                version=number,
                created_at=now,
                cidrs=[str(cidr) for cidr in cidrs],
            )
        )

    def remove(self, resolver_id: str, numbers: Collection[int]) -> None:
        if numbers:
            self._connection.execute(
                versions.delete().where(
                    versions.c.resolver_id == resolver_id, versions.c.version.in_(numbers)
                )
            )


def _is_it(resolver_id: str) -> sa.ColumnElement[bool]:
    return resolvers.c.resolver_id == resolver_id


def _is_callers(caller: Caller) -> tuple[sa.ColumnElement[bool], ...]:
    return resolvers.c.owner_id == caller.account_id, resolvers.c.region == caller.region


def _changeable(resolver: Resolver) -> dict[str, Any]:
    return {
        "description": resolver.description,
        "rules": [rule_to_json(rule) for rule in resolver.rules],
        "tags": dict(resolver.tags),
        "state": resolver.state.value,
        "last_version": resolver.last_version,
        "status": resolver.status.value,
        "status_message": resolver.status_message,
        "revision": resolver.revision,
    }


def _resolver(row: sa.Row[Any]) -> Resolver:
    return Resolver(
        resolver_id=row.resolver_id,
        owner_id=row.owner_id,
        region=row.region,
        ipam_id=row.ipam_id,
        family=AddressFamily(row.address_family),
        description=row.description,
        rules=[rule_from_json(rule) for rule in row.rules],
        tags=row.tags,
        state=ResolverState(row.state),
        last_version=row.last_version,
        status=CreationStatus(row.status),
        status_message=row.status_message,
        revision=row.revision,
    )
