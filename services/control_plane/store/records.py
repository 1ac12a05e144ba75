"""Rows as the records they hold, and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from services.control_plane.allocation_rules import AllocationRules
from services.control_plane.ipam import Ipam
from services.control_plane.metering import Metering
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope
from services.control_plane.source_resource import SourceResource

Row = Mapping[Any, Any]

_RESOURCE = [field.name for field in fields(SourceResource)]
_RULES = [field.name for field in fields(AllocationRules)]


def ipam_of(row: Row) -> Ipam:
    values = dict(row)
    metering = Metering(values.pop("metered_account"), values.pop("costs_distributed_since"))
    regions = tuple(values.pop("operating_regions"))
    return Ipam(**values, operating_regions=regions, metering=metering)


def scope_of(row: Row) -> Scope:
    return Scope(**row)


def pool_of(row: Row) -> Pool:
    values = dict(row)
    rules = AllocationRules(**{name: values.pop(name) for name in _RULES})
    named = {name: values.pop(name) for name in _RESOURCE}
    resource = SourceResource(**named) if named["resource_id"] else None
    return Pool(rules=rules, source_resource=resource, **values)


def columns_of(record: Ipam | Scope | Pool, table: sa.Table) -> dict[str, Any]:
    """A record's own members; what it was read with besides, such as counts, is no column."""
    parts = _parts_of(record)
    return {
        column.name: parts[column.name] if column.name in parts else getattr(record, column.name)
        for column in table.columns
        if column.name != "sequence"
    }


def _parts_of(record: Ipam | Scope | Pool) -> dict[str, Any]:
    """By column, what a record holds in a value of its own."""
    match record:
        case Pool():
            rules = {name: getattr(record.rules, name) for name in _RULES}
            return rules | {name: getattr(record.source_resource, name, None) for name in _RESOURCE}
        case Ipam():
            metering = record.metering
            return {
                "metered_account": metering.account,
                "costs_distributed_since": metering.distributed_since,
            }
        case Scope():
            return {}
