"""Which accounts IPAMs see now, and where: what discovery works through (ORG-3, DISC-1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from services.control_plane.organizations.membership import Membership
from services.control_plane.resource_discoveries.association import (
    AssociationState,
    ResourceDiscoveryAssociation,
    can_see_through,
)
from services.control_plane.resource_discoveries.resource_discovery import (
    ResourceDiscovery,
    covered_accounts,
)
from services.control_plane.service.delegation import administered_organization
from services.control_plane.service.rows import Rows

ACCOUNTS_PER_PART = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """What an IPAM sees through one resource discovery, or a part of that."""

    association: ResourceDiscoveryAssociation
    discovery: ResourceDiscovery
    account_ids: Sequence[str]
    """In order; of a whole larger than `ACCOUNTS_PER_PART` the next so many."""


def sees(rows: Rows, ipam_id: str, account_id: str, region: str) -> bool:
    """One of the IPAM's resource discoveries covers the account's resources in the region."""
    for association in rows.discoveries.associations(ipam_id):
        discovery = rows.discoveries.discovery(association.ipam_resource_discovery_id, lock=False)
        if discovery is None or region not in discovery.operating_regions:
            continue
        if _is_ending(association) or not can_see_through(
            association, rows.shares.discoveries_for(association.owner_id)
        ):
            continue
        members = _members_seen_by(rows, discovery.owner_id)
        if account_id in covered_accounts(discovery, members):
            return True
    return False


def parts_seen(rows: Rows, after: str | None) -> Iterator[tuple[str, Part]]:
    """All that IPAMs see, each part with its key for paging: associations oldest first.

    Left out is what is not found, or being disassociated.
    """
    first, _, last_account_id = (after or "").partition("/")
    shared_with = cache(rows.shares.discoveries_for)
    members_seen_by = cache(lambda owner_id: _members_seen_by(rows, owner_id))
    for key, association, discovery in rows.discoveries.associated_discoveries(first):
        if _is_ending(association) or not can_see_through(
            association, shared_with(association.owner_id)
        ):
            continue
        listed_before = last_account_id if key == first else ""
        members = members_seen_by(discovery.owner_id)
        accounts = [a for a in covered_accounts(discovery, members) if a > listed_before]
        for start in range(0, len(accounts), ACCOUNTS_PER_PART):
            part = accounts[start : start + ACCOUNTS_PER_PART]
            yield f"{key}/{part[-1]}", Part(association, discovery, part)


def _is_ending(association: ResourceDiscoveryAssociation) -> bool:
    return association.state is AssociationState.DISASSOCIATE_IN_PROGRESS


def _members_seen_by(rows: Rows, account_id: str) -> Sequence[Membership]:
    """The accounts of the organization that the account administers IPAM for; else none."""
    organization_id = administered_organization(rows, account_id)
    return rows.organizations.memberships(organization_id) if organization_id else ()
