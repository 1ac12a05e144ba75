"""`DiscoveryRows` in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.control_plane.lifecycle import State
from services.control_plane.resource_discoveries.association import ResourceDiscoveryAssociation
from services.control_plane.resource_discoveries.errors import IpamResourceDiscoveryLimitExceeded
from services.control_plane.resource_discoveries.exclusions import Exclusion
from services.control_plane.resource_discoveries.resource_discovery import ResourceDiscovery
from services.control_plane.store.in_order import in_order
from services.control_plane.tables import resource_discoveries as discoveries
from services.control_plane.tables import resource_discovery_associations as associations
from shared.caller import Caller

_BLOCK_ROWS = 1000
_DISCOVERY_MEMBERS = [column.name for column in discoveries.c if column.name != "sequence"]
_ASSOCIATION_MEMBERS = [column.name for column in associations.c if column.name != "sequence"]


def _of_discovery(name: str) -> str:
    """What a member of a resource discovery is called where it is read with an association."""
    return f"discovery_{name}"


_IS_OF_DISCOVERY = (
    discoveries.c.ipam_resource_discovery_id == associations.c.ipam_resource_discovery_id
)
_DISCOVERIES = sa.select(*(discoveries.c[name] for name in _DISCOVERY_MEMBERS))
_ASSOCIATIONS = sa.select(
    *(associations.c[name] for name in _ASSOCIATION_MEMBERS),
    discoveries.c.owner_id.label(_of_discovery("owner_id")),
).outerjoin_from(associations, discoveries, _IS_OF_DISCOVERY)
_ASSOCIATED = sa.select(
    *(associations.c[name] for name in _ASSOCIATION_MEMBERS),
    *(discoveries.c[name].label(_of_discovery(name)) for name in _DISCOVERY_MEMBERS),
).join_from(associations, discoveries, _IS_OF_DISCOVERY)


class SqlDiscoveryRows:
    """The resource discoveries that one connection's transaction sees and changes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def discovery(self, ipam_resource_discovery_id: str, *, lock: bool) -> ResourceDiscovery | None:
        query = _DISCOVERIES.where(_is_discovery(ipam_resource_discovery_id))
        row = self._first(query.with_for_update() if lock else query)
        return _discovery_of(row) if row else None

    def add_discovery(self, discovery: ResourceDiscovery) -> None:
        try:
            self._connection.execute(discoveries.insert().values(_discovery_columns(discovery)))
        except IntegrityError as error:
            raise IpamResourceDiscoveryLimitExceeded(
                discovery.owner_id, discovery.region
            ) from error

    def save_discovery(self, discovery: ResourceDiscovery) -> None:
        is_it = _is_discovery(discovery.ipam_resource_discovery_id)
        self._connection.execute(
            discoveries.update().where(is_it).values(_discovery_columns(discovery))
        )

    def remove_discovery(self, ipam_resource_discovery_id: str) -> None:
        is_it = _is_discovery(ipam_resource_discovery_id)
        self._connection.execute(discoveries.delete().where(is_it))

    def owned_discoveries(
        self, caller: Caller, *, shared: Collection[str], ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, ResourceDiscovery]]:
        id_column = discoveries.c.ipam_resource_discovery_id
        query = _DISCOVERIES.where(
            sa.or_(discoveries.c.owner_id == caller.account_id, id_column.in_(shared)),
            discoveries.c.region == caller.region,
            id_column.in_(ids) if ids else sa.true(),
        )
        for key, row in in_order(self._connection, query, discoveries.c.sequence, after):
            yield key, _discovery_of(row)

    def association(
        self, ipam_resource_discovery_association_id: str
    ) -> ResourceDiscoveryAssociation | None:
        is_it = _is_association(ipam_resource_discovery_association_id)
        row = self._first(_ASSOCIATIONS.where(is_it))
        return _association_of(row) if row else None

    def associations(self, ipam_id: str) -> Sequence[ResourceDiscoveryAssociation]:
        query = _ASSOCIATIONS.where(associations.c.ipam_id == ipam_id)
        rows = self._connection.execute(query.order_by(associations.c.sequence)).mappings()
        return [_association_of(dict(row)) for row in rows]

    def add_association(self, association: ResourceDiscoveryAssociation) -> None:
        self._connection.execute(associations.insert().values(_association_columns(association)))

    def save_association(self, association: ResourceDiscoveryAssociation) -> None:
        is_it = _is_association(association.ipam_resource_discovery_association_id)
        self._connection.execute(
            associations.update().where(is_it).values(_association_columns(association))
        )

    def remove_association(self, ipam_resource_discovery_association_id: str) -> None:
        is_it = _is_association(ipam_resource_discovery_association_id)
        self._connection.execute(associations.delete().where(is_it))

    def associations_of(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, ResourceDiscoveryAssociation]]:
        id_column = associations.c.ipam_resource_discovery_association_id
        query = _ASSOCIATIONS.where(
            sa.or_(
                associations.c.owner_id == caller.account_id,
                discoveries.c.owner_id == caller.account_id,
            ),
            associations.c.ipam_region == caller.region,
            id_column.in_(ids) if ids else sa.true(),
        )
        for key, row in in_order(self._connection, query, associations.c.sequence, after):
            yield key, _association_of(row)

    def associated_discoveries(
        self, first: str
    ) -> Iterator[tuple[str, ResourceDiscoveryAssociation, ResourceDiscovery]]:
        query = _ASSOCIATED.where(associations.c.sequence >= int(first or 0))
        for key, row in in_order(self._connection, query, associations.c.sequence, None):
            discovery = {name: row[_of_discovery(name)] for name in _DISCOVERY_MEMBERS}
            association = {name: row[name] for name in _ASSOCIATION_MEMBERS}
            association["discovery_owner_id"] = discovery["owner_id"]
            yield key, _association_of(association), _discovery_of(discovery)

    def discoveries_without_ipam(
        self, first: str
    ) -> Iterator[tuple[ResourceDiscovery, Sequence[ResourceDiscoveryAssociation]]]:
        id_column = discoveries.c.ipam_resource_discovery_id
        query = _DISCOVERIES.where(
            sa.not_(discoveries.c.is_default), discoveries.c.state != State.DELETE_IN_PROGRESS
        ).order_by(id_column)
        later = id_column >= first
        while True:
            rows = self._connection.execute(query.where(later).limit(_BLOCK_ROWS)).mappings()
            block = [_discovery_of(dict(row)) for row in rows]
            ids = [discovery.ipam_resource_discovery_id for discovery in block]
            found = self._associations_by_discovery(ids)
            for discovery in block:
                yield discovery, found[discovery.ipam_resource_discovery_id]
            if len(block) < _BLOCK_ROWS:
                return
            later = id_column > ids[-1]

    def _associations_by_discovery(
        self, ids: Collection[str]
    ) -> Mapping[str, Sequence[ResourceDiscoveryAssociation]]:
        query = _ASSOCIATIONS.where(associations.c.ipam_resource_discovery_id.in_(ids))
        found: dict[str, list[ResourceDiscoveryAssociation]] = {each: [] for each in ids}
        for row in self._connection.execute(query).mappings():
            association = _association_of(dict(row))
            found[association.ipam_resource_discovery_id].append(association)
        return found

    def _first(self, query: sa.Select[Any]) -> dict[str, Any] | None:
        row = self._connection.execute(query).mappings().first()
        return dict(row) if row else None


def _is_discovery(ipam_resource_discovery_id: str) -> sa.ColumnElement[bool]:
    return discoveries.c.ipam_resource_discovery_id == ipam_resource_discovery_id


def _is_association(ipam_resource_discovery_association_id: str) -> sa.ColumnElement[bool]:
    id_column = associations.c.ipam_resource_discovery_association_id
    return id_column == ipam_resource_discovery_association_id


def _discovery_of(row: Mapping[str, Any]) -> ResourceDiscovery:
    regions, exclusions = tuple(row["operating_regions"]), map(Exclusion.parse, row["exclusions"])
    return ResourceDiscovery(
        **{**row, "operating_regions": regions, "exclusions": tuple(exclusions)}
    )


def _association_of(row: Mapping[str, Any]) -> ResourceDiscoveryAssociation:
    return ResourceDiscoveryAssociation(**row)


def _discovery_columns(discovery: ResourceDiscovery) -> dict[str, Any]:
    members = {name: getattr(discovery, name) for name in _DISCOVERY_MEMBERS}
    return {**members, "exclusions": [str(exclusion) for exclusion in discovery.exclusions]}


def _association_columns(association: ResourceDiscoveryAssociation) -> dict[str, Any]:
    return {name: getattr(association, name) for name in _ASSOCIATION_MEMBERS}
