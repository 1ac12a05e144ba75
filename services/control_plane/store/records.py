"""Rows as the records they hold, and back."""

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from services.control_plane.allocation_rules import AllocationRules
from services.control_plane.ipam import Ipam
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope

_RULES = [field.name for field in fields(AllocationRules)]


def ipam_of(row: sa.RowMapping) -> Ipam:
    values = _values(row)
    return Ipam(**{**values, "operating_regions": tuple(values["operating_regions"])})


def scope_of(row: sa.RowMapping) -> Scope:
    return Scope(**_values(row))


def pool_of(row: sa.RowMapping) -> Pool:
    values = _values(row)
    rules = AllocationRules(**{name: values.pop(name) for name in _RULES})
    return Pool(rules=rules, **values)


def _values(row: sa.RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "sequence"}


def columns_of(record: Ipam | Scope | Pool, table: sa.Table) -> dict[str, Any]:
    """A record's own members; what it was read with besides, such as counts, is no column."""
    rules = record.rules if isinstance(record, Pool) else None
    return {
        column.name: getattr(rules if column.name in _RULES else record, column.name)
        for column in table.columns
        if column.name != "sequence"
    }
