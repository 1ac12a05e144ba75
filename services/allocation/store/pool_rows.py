"""Rows of pools and of their CIDRs, one at a time: they change seldom."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.allocation.definition import PoolDefinition
from services.allocation.free_figures import FreeFigures
from services.allocation.placement import Placement
from services.allocation.pool import Usage
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.store.records import (
    definition_to_json,
    free_figures_to_row,
    keys_of,
    placement_to_json,
    usage_to_row,
)
from services.allocation.tables import (
    allocations,
    pending_cidrs,
    pool_cidrs,
    pools,
    scopes,
    snapshots,
)
from shared.cidr import Cidr
from shared.regions import region_of


def insert_defined_pool(connection: sa.Connection, definition: PoolDefinition) -> int:
    """Make a pool known that has nothing yet; its number."""
    return _insert_pool(
        connection,
        definition.ipam_pool_id,
        is_retired=False,
        ipam_id=definition.ipam_id,
        owner_id=definition.owner_id,
        ipam_region=definition.ipam_region,
        source_ipam_pool_id=definition.source_ipam_pool_id,
        scope_number=_scope_number(connection, definition.ipam_scope_id),
        space_number=_scope_number(connection, definition.space_id),
        public_region=_public_region(definition),
        **_members(definition),
    )


def insert_retired_pool(connection: sa.Connection, ipam_pool_id: str) -> int:
    """Keep a pool from ever being made known; its number."""
    return _insert_pool(connection, ipam_pool_id, is_retired=True)


def set_definition(connection: sa.Connection, pool_number: int, definition: PoolDefinition) -> None:
    is_it = pools.c.number == pool_number
    connection.execute(pools.update().where(is_it).values(_members(definition)))


def set_placement(connection: sa.Connection, pool_number: int, placement: Placement) -> None:
    is_it = pools.c.number == pool_number
    stored = placement_to_json(placement)
    connection.execute(pools.update().where(is_it).values(placement=stored))


def insert_pool_cidr(connection: sa.Connection, pool_number: int, found: PoolCidr) -> None:
    """Give a pool a CIDR; its deprovisioned namesake is forgotten, and so is one that waits."""
    keys = keys_of(found.cidr)
    namesake = pool_cidrs.delete().where(
        *_is_namesake(pool_cidrs, pool_number, found.cidr),
        pool_cidrs.c.state == CidrState.DEPROVISIONED.value,
    )
    connection.execute(namesake)
    delete_pending_namesake(connection, pool_number, found.cidr)
    space = sa.select(pools.c.space_number).where(pools.c.number == pool_number)
    brought_by, brought_to = found.brought_by or (None, None)
    row = {
        "ipam_pool_cidr_id": found.ipam_pool_cidr_id,
        "pool_number": pool_number,
        "scope_number": space.scalar_subquery(),
        "state": CidrState.PROVISIONED.value,
        "parent_allocation_id": found.parent_allocation_id,
        "brought_by": brought_by,
        "brought_to": brought_to,
        **keys,
    }
    connection.execute(pool_cidrs.insert().values(row))


def set_deprovisioned(connection: sa.Connection, ipam_pool_cidr_id: str) -> None:
    is_it = pool_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id
    gone = {"state": CidrState.DEPROVISIONED.value, "parent_allocation_id": None}
    connection.execute(pool_cidrs.update().where(is_it).values(gone))


def set_pin(connection: sa.Connection, ipam_pool_cidr_id: str, reason: str | None) -> None:
    is_it = pool_cidrs.c.ipam_pool_cidr_id == ipam_pool_cidr_id
    connection.execute(pool_cidrs.update().where(is_it).values(pinned_for=reason))


def delete_pending_namesake(connection: sa.Connection, pool_number: int, cidr: Cidr) -> None:
    """Forget what was requested of a pool as exactly this CIDR."""
    is_it = _is_namesake(pending_cidrs, pool_number, cidr)
    connection.execute(pending_cidrs.delete().where(*is_it))


def delete_records(connection: sa.Connection, pool_number: int) -> None:
    """Delete all that a pool has."""
    for table in (pool_cidrs, pending_cidrs, allocations, snapshots):
        connection.execute(table.delete().where(table.c.pool_number == pool_number))


def _is_namesake(
    table: sa.Table, pool_number: int, cidr: Cidr
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.pool_number == pool_number,
        table.c.first_key == cidr.first_key,
        table.c.prefix_length == cidr.prefix_length,
    )


def _insert_pool(connection: sa.Connection, ipam_pool_id: str, **members: object) -> int:
    nothing = {**usage_to_row(Usage()), **free_figures_to_row(FreeFigures(), 0)}
    row = {"ipam_pool_id": ipam_pool_id, "version": 0, **nothing, **members}
    inserted = pools.insert().values(row).returning(pools.c.number)
    number: int = connection.execute(inserted).scalar_one()
    return number


def _scope_number(connection: sa.Connection, ipam_scope_id: str) -> int:
    is_it = sa.select(scopes.c.number).where(scopes.c.ipam_scope_id == ipam_scope_id)
    number: int | None = connection.scalar(is_it)
    if number is None:
        inserted = scopes.insert().values(ipam_scope_id=ipam_scope_id)
        number = connection.execute(inserted.returning(scopes.c.number)).scalar_one()
    return number


def _public_region(definition: PoolDefinition) -> str | None:
    is_told = definition.is_public and not definition.is_planning
    return region_of(definition.locale) if is_told else None


def _members(definition: PoolDefinition) -> Mapping[str, Any]:
    return {
        "definition": definition_to_json(definition),
        "definition_version": definition.version,
    }
