"""That an IPAM sees what a resource discovery sees, and the rules of it (DISC-1, DISC-2)."""

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from services.control_plane.ipam import Ipam, Tier
from services.control_plane.resource_discoveries.errors import (
    AlreadyAssociated,
    IpamResourceDiscoveryAssociationLimitExceeded,
)
from shared.errors import OperationNotPermitted


class AssociationState(enum.StrEnum):
    """AWS's words; a disassociated one is gone."""

    ASSOCIATE_IN_PROGRESS = "associate-in-progress"
    ASSOCIATE_COMPLETE = "associate-complete"
    DISASSOCIATE_IN_PROGRESS = "disassociate-in-progress"


class DiscoveryStatus(enum.StrEnum):
    """Whether an IPAM can read what a resource discovery finds."""

    ACTIVE = "active"
    NOT_FOUND = "not-found"
    """The resource discovery was deleted, or is no longer shared with the IPAM's owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDiscoveryAssociation:
    """A resource discovery that an IPAM sees through."""

    ipam_resource_discovery_association_id: str
    owner_id: str
    """The IPAM's owner."""
    ipam_id: str
    ipam_region: str
    """The IPAM's home region, hence the resource discovery's."""
    ipam_resource_discovery_id: str
    is_default: bool
    tags: Mapping[str, str]
    state: AssociationState = AssociationState.ASSOCIATE_IN_PROGRESS
    version: int = 1
    """Grows with every change."""
    discovery_owner_id: str | None
    """Read with it; None once the resource discovery is deleted."""


@dataclass(frozen=True, slots=True)
class SeenAssociation:
    """An association as an account sees it at one moment."""

    association: ResourceDiscoveryAssociation
    discovery_status: DiscoveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssociation:
    """What a caller says about an association to be made."""

    ipam_id: str
    ipam_resource_discovery_id: str
    tags: Mapping[str, str]


def default_association(ipam: Ipam) -> ResourceDiscoveryAssociation:
    """The one an IPAM is made with, complete as soon as it is there (IPAM-1)."""
    return ResourceDiscoveryAssociation(
        ipam_resource_discovery_association_id=ipam.default_resource_discovery_association_id,
        owner_id=ipam.owner_id,
        ipam_id=ipam.ipam_id,
        ipam_region=ipam.region,
        ipam_resource_discovery_id=ipam.default_resource_discovery_id,
        is_default=True,
        tags={},
        state=AssociationState.ASSOCIATE_COMPLETE,
        discovery_owner_id=ipam.owner_id,
    )


def check_may_associate(
    ipam: Ipam,
    ipam_resource_discovery_id: str,
    existing: Iterable[ResourceDiscoveryAssociation],
    *,
    quota: int,
) -> None:
    """``ipam`` may see through one more resource discovery, and doesn't see through this one.

    Raises:
        OperationNotPermitted: it is on the free tier, which has the default one alone (IPAM-4).
        AlreadyAssociated: it sees through this one.
        IpamResourceDiscoveryAssociationLimitExceeded: the default one included, it has ``quota``.
    """
    if ipam.tier is Tier.FREE:
        raise OperationNotPermitted(
            f"'{ipam.ipam_id}' is on tier '{Tier.FREE}', which has no resource discovery besides"
            f" its default one; change it to tier '{Tier.ADVANCED}' first",
            ipam_id=ipam.ipam_id,
            tier=ipam.tier,
        )
    for association in existing:
        if association.ipam_resource_discovery_id == ipam_resource_discovery_id:
            raise AlreadyAssociated(
                ipam.ipam_id,
                ipam_resource_discovery_id,
                association.ipam_resource_discovery_association_id,
            )
    if ipam.resource_discovery_association_count >= quota:
        raise IpamResourceDiscoveryAssociationLimitExceeded(
            ipam.ipam_id, ipam.resource_discovery_association_count, quota
        )


def completed(association: ResourceDiscoveryAssociation) -> ResourceDiscoveryAssociation:
    """``association`` after its step; what was disassociated is gone."""
    if association.state is AssociationState.ASSOCIATE_IN_PROGRESS:
        return replace(association, state=AssociationState.ASSOCIATE_COMPLETE)
    return association


def disassociating(association: ResourceDiscoveryAssociation) -> ResourceDiscoveryAssociation:
    """``association`` on its way out.

    Raises:
        OperationNotPermitted: it is a default one, which goes with its IPAM.
    """
    if association.is_default:
        raise OperationNotPermitted(
            f"'{association.ipam_resource_discovery_association_id}' is the default association of"
            f" '{association.ipam_id}'; it ends with its IPAM only",
            ipam_resource_discovery_association_id=(
                association.ipam_resource_discovery_association_id
            ),
            ipam_id=association.ipam_id,
        )
    return replace(
        association,
        state=AssociationState.DISASSOCIATE_IN_PROGRESS,
        version=association.version + 1,
    )


def as_seen_by(
    account_id: str,
    association: ResourceDiscoveryAssociation,
    shared_with_owner: Collection[str],
) -> SeenAssociation:
    """What an account that may see ``association`` sees of it: its tags are the owner's alone.

    ``shared_with_owner`` are the resource discoveries of others that are shared with the owner.
    """
    status = DiscoveryStatus.NOT_FOUND
    if can_see_through(association, shared_with_owner):
        status = DiscoveryStatus.ACTIVE
    is_owner = account_id == association.owner_id
    return SeenAssociation(association if is_owner else replace(association, tags={}), status)


def can_see_through(
    association: ResourceDiscoveryAssociation, shared_with_owner: Collection[str]
) -> bool:
    """The resource discovery is there, and the IPAM's owner's or shared with it."""
    if association.discovery_owner_id is None:
        return False
    is_own = association.discovery_owner_id == association.owner_id
    return is_own or association.ipam_resource_discovery_id in shared_with_owner
