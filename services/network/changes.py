"""What the change feed tells: a resource has got, or lost, a CIDR."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from services.network.vpc import CidrAssociation, Vpc


class ChangeKind(enum.IntEnum):
    """The numbers are the contract's."""

    CIDR_ASSOCIATED = 1
    CIDR_DISASSOCIATED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CidrRecord:
    """A CIDR association as others are told of it; ``cidr`` is None while it is being allocated."""

    association_id: str
    resource_id: str
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


def changes_of(vpc: Vpc, kind: ChangeKind, associations: Iterable[CidrAssociation]) -> list[Change]:
    """The same change of some of a VPC's blocks."""
    return [Change(kind, record_of(vpc, association)) for association in associations]


def record_of(vpc: Vpc, association: CidrAssociation) -> CidrRecord:
    return CidrRecord(
        association_id=association.association_id,
        resource_id=vpc.vpc_id,
        owner_id=vpc.owner_id,
        region=vpc.region,
        cidr=str(association.cidr),
        ipam_pool_allocation_id=association.ipam_pool_allocation_id,
    )
