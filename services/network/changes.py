"""What the change feed tells: a resource has got, or lost, a CIDR."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from services.network.resource import CidrAssociation, Holder, ResourceType


class ChangeKind(enum.IntEnum):
    """The numbers are the contract's."""

    CIDR_ASSOCIATED = 1
    CIDR_DISASSOCIATED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CidrRecord:
    """A CIDR association as others are told of it; ``cidr`` is None while it is being allocated."""

    association_id: str
    resource_id: str
    resource_type: ResourceType
    owner_id: str
    region: str
    cidr: str | None = None
    ipam_pool_allocation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """``record`` is as it was at the change."""

    kind: ChangeKind
    record: CidrRecord


@dataclass(frozen=True, slots=True)
class NumberedChange:
    """A change in its place in the feed."""

    sequence: int
    change: Change


def changes_of(
    holder: Holder, kind: ChangeKind, associations: Iterable[CidrAssociation]
) -> list[Change]:
    """The same change of some of a resource's blocks."""
    return [Change(kind, record_of(holder, association)) for association in associations]


def record_of(holder: Holder, association: CidrAssociation) -> CidrRecord:
    return CidrRecord(
        association_id=association.association_id,
        resource_id=holder.resource_id,
        resource_type=holder.resource_type,
        owner_id=holder.owner_id,
        region=holder.region,
        cidr=str(association.cidr),
        ipam_pool_allocation_id=association.ipam_pool_allocation_id,
    )
