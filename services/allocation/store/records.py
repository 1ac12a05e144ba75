"""Rows as what they mean here, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.definition import PoolDefinition, PublicIpSource, ScopeType
from services.allocation.pool import Usage
from services.allocation.pool_cidr import CidrState, PoolCidr
from shared.cidr import AddressFamily, Cidr

Row: TypeAlias = Any
"""A row of a statement that has the columns asked for."""


def cidr_of(row: Row) -> Cidr:
    return Cidr.from_key(row.first_key, row.prefix_length)


def keys_of(cidr: Cidr) -> dict[str, Any]:
    return {
        "first_key": cidr.first_key,
        "last_key": cidr.last_key,
        "prefix_length": cidr.prefix_length,
    }


def allocation_to_row(allocation: Allocation, pool_number: int) -> dict[str, Any]:
    return {
        "ipam_pool_allocation_id": allocation.ipam_pool_allocation_id,
        "pool_number": pool_number,
        **keys_of(allocation.cidr),
        "resource_type": allocation.resource_type.value,
        "resource_id": allocation.resource_id,
        "resource_region": allocation.resource_region,
        "resource_owner": allocation.resource_owner,
        "description": allocation.description,
        "tags": dict(allocation.tags),
        "allocated_by": allocation.allocated_by,
        "client_token": allocation.client_token,
        "created_at": allocation.created_at,
    }


def allocation_from_row(row: Row, ipam_pool_id: str) -> Allocation:
    return Allocation(
        ipam_pool_allocation_id=row.ipam_pool_allocation_id,
        ipam_pool_id=ipam_pool_id,
        cidr=cidr_of(row),
        resource_type=ResourceType(row.resource_type),
        resource_owner=row.resource_owner,
        resource_id=row.resource_id,
        resource_region=row.resource_region,
        description=row.description,
        tags=row.tags,
        allocated_by=row.allocated_by,
        client_token=row.client_token,
        # SQLite keeps no time zone.
        created_at=row.created_at.replace(tzinfo=row.created_at.tzinfo or UTC),
    )


def pool_cidr_from_row(row: Row, ipam_pool_id: str) -> PoolCidr:
    return PoolCidr(
        ipam_pool_cidr_id=row.ipam_pool_cidr_id,
        ipam_pool_id=ipam_pool_id,
        cidr=cidr_of(row),
        state=CidrState(row.state),
        parent_allocation_id=row.parent_allocation_id,
    )


def definition_to_json(definition: PoolDefinition) -> dict[str, Any]:
    return {**asdict(definition), "address_family": definition.address_family.value}


def definition_from_json(members: Mapping[str, Any]) -> PoolDefinition:
    definition = PoolDefinition(**members)
    source = definition.public_ip_source
    return replace(
        definition,
        address_family=AddressFamily(definition.address_family),
        scope_type=ScopeType(definition.scope_type),
        public_ip_source=PublicIpSource(source) if source else None,
    )


def usage_to_row(usage: Usage) -> dict[str, Any]:
    return {
        "total_addresses": str(usage.total_addresses),
        "allocated_addresses": str(usage.allocated_addresses),
        "assigned_addresses": str(usage.assigned_addresses),
        "cidr_count": usage.cidr_count,
        "allocation_count": usage.allocation_count,
    }


def usage_from_row(row: Row) -> Usage:
    return Usage(
        total_addresses=int(row.total_addresses),
        allocated_addresses=int(row.allocated_addresses),
        assigned_addresses=int(row.assigned_addresses),
        cidr_count=row.cidr_count,
        allocation_count=row.allocation_count,
    )


def answer_to_bytes(answer: Allocation | PoolCidr) -> bytes:
    """What a client token's request is answered for ever."""
    members = {**_members(answer), "cidr": str(answer.cidr)}
    if isinstance(answer, Allocation):
        members["created_at"] = answer.created_at.isoformat()
    return json.dumps({type(answer).__name__: members}).encode()


def answer_from_bytes(content: bytes) -> Allocation | PoolCidr:
    [(kind, members)] = json.loads(content).items()
    members["cidr"] = Cidr.parse(members["cidr"])
    if kind == PoolCidr.__name__:
        return PoolCidr(**{**members, "state": CidrState(members["state"])})
    members["created_at"] = datetime.fromisoformat(members["created_at"])
    return Allocation(**{**members, "resource_type": ResourceType(members["resource_type"])})


def _members(answer: Allocation | PoolCidr) -> dict[str, Any]:
    # Not asdict: it would take the CIDR apart, too, and every allocation comes through here.
    return {name: getattr(answer, name) for name in answer.__slots__}
