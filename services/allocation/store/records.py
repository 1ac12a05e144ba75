"""Rows as what they mean here, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any, TypeAlias

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.definition import (
    AmazonBlockQuota,
    AwsService,
    PoolDefinition,
    PublicIpSource,
    ScopeType,
)
from services.allocation.free_figures import FreeFigures
from services.allocation.pending_cidr import (
    Failure,
    FailureCode,
    PendingCidr,
    Proof,
    VerificationMethod,
)
from services.allocation.placement import AS_USUAL, Placement, Strategy
from services.allocation.pool import Usage
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.set_aside import SetAside, SetAsideReason
from shared.cidr import AddressFamily, Cidr

_ALLOCATION, _POOL_CIDR, _SET_ASIDE = "allocation", "pool-cidr", "set-aside"

Record: TypeAlias = Allocation | PoolCidr | SetAside

Row: TypeAlias = Any
"""A row of a statement that has the columns asked for."""


def cidr_of(row: Row) -> Cidr:
    return Cidr.from_key(row.first_key, row.prefix_length)


def keys_of(cidr: Cidr) -> dict[str, Any]:
    first_key, last_key = cidr.keys
    return {"first_key": first_key, "last_key": last_key, "prefix_length": cidr.prefix_length}


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
        "expires_at": None,
    }


def set_aside_to_row(set_aside: SetAside, pool_number: int) -> dict[str, Any]:
    return {
        "ipam_pool_allocation_id": set_aside.set_aside_id,
        "pool_number": pool_number,
        **keys_of(set_aside.cidr),
        "resource_type": set_aside.reason.value,
        "resource_id": None,
        "resource_region": None,
        "resource_owner": set_aside.owner,
        "description": None,
        "tags": {},
        "allocated_by": None,
        "client_token": None,
        "created_at": set_aside.created_at,
        "expires_at": set_aside.until,
    }


def set_aside_from_row(row: Row, ipam_pool_id: str) -> SetAside:
    return SetAside(
        set_aside_id=row.ipam_pool_allocation_id,
        ipam_pool_id=ipam_pool_id,
        cidr=cidr_of(row),
        reason=SetAsideReason(row.resource_type),
        owner=row.resource_owner,
        until=_in_utc(row.expires_at),
        created_at=_in_utc(row.created_at),
    )


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
        created_at=_in_utc(row.created_at),
    )


def pool_cidr_from_row(row: Row, ipam_pool_id: str) -> PoolCidr:
    return PoolCidr(
        ipam_pool_cidr_id=row.ipam_pool_cidr_id,
        ipam_pool_id=ipam_pool_id,
        cidr=cidr_of(row),
        state=CidrState(row.state),
        parent_allocation_id=row.parent_allocation_id,
        brought_by=(row.brought_by, row.brought_to) if row.brought_by else None,
    )


def pending_cidr_to_row(pending: PendingCidr, pool_number: int) -> dict[str, Any]:
    return {
        "ipam_pool_cidr_id": pending.ipam_pool_cidr_id,
        "pool_number": pool_number,
        **keys_of(pending.cidr),
        "verification_method": pending.proof.method.value,
        "message": pending.proof.message,
        "signature": pending.proof.signature,
        "token_id": pending.proof.token_id,
        "requested_at": pending.requested_at,
    }


def pending_cidr_from_row(row: Row, ipam_pool_id: str) -> PendingCidr:
    method, code = VerificationMethod(row.verification_method), row.failure_code
    has_failed = row.failure_message is not None
    return PendingCidr(
        ipam_pool_cidr_id=row.ipam_pool_cidr_id,
        ipam_pool_id=ipam_pool_id,
        cidr=cidr_of(row),
        proof=Proof(method, row.message, row.signature, row.token_id),
        requested_at=_in_utc(row.requested_at),
        failure=Failure(row.failure_message, FailureCode(code) if code else None)
        if has_failed
        else None,
    )


def definition_to_json(definition: PoolDefinition) -> dict[str, Any]:
    return {
        **asdict(definition),
        "address_family": definition.address_family.value,
        "shared_with": sorted(definition.shared_with),
    }


def definition_from_json(members: Mapping[str, Any]) -> PoolDefinition:
    source, service = members["public_ip_source"], members.get("aws_service")
    quota = members.get("amazon_block_quota")
    meant = {
        "address_family": AddressFamily(members["address_family"]),
        "scope_type": ScopeType(members["scope_type"]),
        "public_ip_source": PublicIpSource(source) if source else None,
        # Pools that nobody has defined since sharing came have none.
        "shared_with": frozenset(members.get("shared_with", ())),
        "aws_service": AwsService(service) if service else None,
        "amazon_block_quota": AmazonBlockQuota(**quota) if quota else None,
    }
    return PoolDefinition(**{**members, **meant})


def placement_to_json(placement: Placement) -> dict[str, Any]:
    cool_down = placement.cool_down
    return {
        "strategy": placement.strategy.value,
        "excluded": list(map(str, placement.excluded)),
        "avoids_observed": placement.avoids_observed,
        "cool_down": None if cool_down is None else cool_down.total_seconds(),
    }


def placement_from_json(members: Mapping[str, Any] | None) -> Placement:
    if members is None:
        return AS_USUAL
    cool_down = members["cool_down"]
    return Placement(
        strategy=Strategy(members["strategy"]),
        excluded=tuple(map(Cidr.parse, members["excluded"])),
        avoids_observed=members["avoids_observed"],
        cool_down=None if cool_down is None else timedelta(seconds=cool_down),
    )


def usage_to_row(usage: Usage) -> dict[str, Any]:
    return {
        "total_addresses": str(usage.total_addresses),
        "allocated_addresses": str(usage.allocated_addresses),
        "assigned_addresses": str(usage.assigned_addresses),
        "cidr_count": usage.cidr_count,
        "allocation_count": usage.allocation_count,
    }


def free_figures_to_row(free: FreeFigures, version: int) -> dict[str, Any]:
    """``version``: the pool's that they are of."""
    return {
        "free_version": version,
        "free_block_count": free.block_count,
        "largest_free_netmask_length": free.largest_netmask_length,
        "free_addresses": str(free.addresses),
        "free_until": free.until,
    }


def free_figures_from_row(row: Row) -> FreeFigures | None:
    """None where nobody has noted them for the pool's version."""
    if row.free_version != row.version:
        return None
    return FreeFigures(
        block_count=row.free_block_count,
        largest_netmask_length=row.largest_free_netmask_length,
        addresses=int(row.free_addresses),
        until=_in_utc(row.free_until) if row.free_until else None,
    )


def usage_from_row(row: Row) -> Usage:
    return Usage(
        total_addresses=int(row.total_addresses),
        allocated_addresses=int(row.allocated_addresses),
        assigned_addresses=int(row.assigned_addresses),
        cidr_count=row.cidr_count,
        allocation_count=row.allocation_count,
    )


def record_to_text(record: Record) -> str:
    """As JSON, for what is kept longer than the record: answers to tokens, and changes."""
    if isinstance(record, Allocation):
        return _allocation_to_text(record, record.created_at.isoformat())
    if isinstance(record, SetAside):
        return json.dumps((_SET_ASIDE, *_set_aside_members(record)))
    return json.dumps((_POOL_CIDR, *_pool_cidr_members(record)))


def record_from_json(content: Sequence[Any]) -> Record:
    """Of `record_to_text`'s JSON."""
    kind, *members = content
    if kind == _POOL_CIDR:
        pool_cidr_id, pool_id, cidr, state, parent_id, *brought = members
        brought_by = (brought[0], brought[1]) if brought else None
        return PoolCidr(
            pool_cidr_id, pool_id, Cidr.parse(cidr), CidrState(state), parent_id, brought_by
        )
    if kind == _SET_ASIDE:
        set_aside_id, pool_id, cidr, reason, owner, until, created_at = members
        return SetAside(
            set_aside_id,
            pool_id,
            Cidr.parse(cidr),
            SetAsideReason(reason),
            owner,
            datetime.fromisoformat(until),
            datetime.fromisoformat(created_at),
        )
    allocation_id, pool_id, cidr, resource_type, owner, created_at, *rest = members
    return Allocation(
        allocation_id,
        pool_id,
        Cidr.parse(cidr),
        ResourceType(resource_type),
        owner,
        datetime.fromisoformat(created_at),
        *rest,
    )


class RecordTexts:
    """`record_to_text`, once for each record of a batch: an allocation's is wanted twice."""

    def __init__(self) -> None:
        # By pool as well: an allocation may be moved to another one, which is two texts.
        self._known: dict[tuple[str, str], str] = {}
        # Most were created at the time of the batch.
        self._time: datetime | None = None
        self._time_text = ""

    def of(self, record: Record) -> str:
        if not isinstance(record, Allocation):
            return record_to_text(record)
        key = record[:2]
        known = self._known.get(key)
        if known is None:
            known = _allocation_to_text(record, self._text_of(record.created_at))
            self._known[key] = known
        return known

    def _text_of(self, time: datetime) -> str:
        if time is not self._time:
            self._time, self._time_text = time, time.isoformat()
        return self._time_text


def _allocation_to_text(allocation: Allocation, created_at: str) -> str:
    # By hand, for every allocation comes through here. What is not quoted needs no escapes.
    return (
        f'["{_ALLOCATION}", "{allocation.ipam_pool_allocation_id}", "{allocation.ipam_pool_id}",'
        f' "{allocation.cidr}", "{allocation.resource_type.value}",'
        f' {_quoted(allocation.resource_owner)}, "{created_at}",'
        f" {_quoted(allocation.resource_id)}, {_quoted(allocation.resource_region)},"
        f" {_quoted(allocation.description)},"
        f" {json.dumps(allocation.tags) if allocation.tags else '{}'},"
        f" {_quoted(allocation.allocated_by)}, {_quoted(allocation.client_token)}]"
    )


def _quoted(text: str | None) -> str:
    return "null" if text is None else encode_basestring_ascii(text)


def _pool_cidr_members(found: PoolCidr) -> tuple[object, ...]:
    return (
        found.ipam_pool_cidr_id,
        found.ipam_pool_id,
        str(found.cidr),
        found.state.value,
        found.parent_allocation_id,
        *(found.brought_by or ()),
    )


def _set_aside_members(found: SetAside) -> tuple[object, ...]:
    return (
        found.set_aside_id,
        found.ipam_pool_id,
        str(found.cidr),
        found.reason.value,
        found.owner,
        found.until.isoformat(),
        found.created_at.isoformat(),
    )


def _in_utc(stored: datetime) -> datetime:
    # SQLite keeps no time zone.
    return stored.replace(tzinfo=stored.tzinfo or UTC)
