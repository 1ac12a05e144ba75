"""What the change feed tells: a resource has got, or lost, a CIDR, or changed otherwise."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from services.network.resource import CidrAssociation, Holder, ResourceType


class ChangeKind(enum.IntEnum):
    """The numbers are the contract's."""

    CIDR_ASSOCIATED = 1
    CIDR_DISASSOCIATED = 2
    RESOURCE_CHANGED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CidrRecord:
    """A CIDR association as others are told of it; ``cidr`` is None while it is being allocated.

    Where a resource changed otherwise, ``association_id`` and ``cidr`` are empty.
    """

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


def resources_changed(holders: Iterable[Holder]) -> list[Change]:
    """That something of each resource changed besides its blocks; once each, in order."""
    once = {(holder.owner_id, holder.resource_id): holder for holder in holders}
    return [
        Change(
            ChangeKind.RESOURCE_CHANGED,
            CidrRecord(
                association_id="",
                resource_id=holder.resource_id,
                resource_type=holder.resource_type,
                owner_id=holder.owner_id,
                region=holder.region,
                cidr="",
            ),
        )
        for holder in once.values()
    ]


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
