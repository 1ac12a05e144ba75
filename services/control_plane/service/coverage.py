"""Which accounts IPAMs see now, and where: what discovery works through (ORG-3, DISC-1)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
_UNSEEN = "unseen/"


@dataclass(frozen=True, slots=True)
class Part:
    """What is discovered through one resource discovery, or a part of that."""

    association: ResourceDiscoveryAssociation | None
    """By which an IPAM sees it; None when none does."""
    discovery: ResourceDiscovery
    account_ids: Sequence[str]
    """In order; of a whole larger than `ACCOUNTS_PER_PART` the next so many."""
    unit_ids: Sequence[str]
    """OUs that these are directly in, "" for none; nothing when the owner is in no organization."""


def sees(rows: Rows, ipam_id: str, account_id: str, region: str) -> bool:
    """One of the IPAM's resource discoveries covers the account's resources in the region."""
    coverage = _Coverage(rows)
    for association in rows.discoveries.associations(ipam_id):
        discovery = rows.discoveries.discovery(association.ipam_resource_discovery_id, lock=False)
        if discovery is None or region not in discovery.operating_regions:
            continue
        if not coverage.is_seen_through(association):
            continue
        if account_id in covered_accounts(discovery, coverage.members(discovery.owner_id)):
            return True
    return False


def accounts_seen(rows: Rows, ipam_id: str) -> Mapping[str, AbstractSet[str]]:
    """By region, the accounts whose resources there the IPAM sees: by all its discoveries."""
    coverage = _Coverage(rows)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for association in rows.discoveries.associations(ipam_id):
        discovery = rows.discoveries.discovery(association.ipam_resource_discovery_id, lock=False)
        if discovery is None or not coverage.is_seen_through(association):
            continue
        accounts = covered_accounts(discovery, coverage.members(discovery.owner_id))
        for region in discovery.operating_regions:
            found[region] |= set(accounts)
    return found


def discovered_parts(rows: Rows, after: str | None) -> Iterator[tuple[str, Part]]:
    """All that is discovered, each part with its key for paging, beginning after a key.

    First what IPAMs see, associations oldest first. Left out is what is not found, or being
    disassociated; it comes last, by id, with all resource discoveries that no IPAM sees through.
    """
    coverage = _Coverage(rows)
    if after is None or not after.startswith(_UNSEEN):
        yield from coverage.seen(after or "")
        after = _UNSEEN
    for key, part in coverage.unseen(after.removeprefix(_UNSEEN)):
        yield f"{_UNSEEN}{key}", part


class _Coverage:
    """What resource discoveries cover in one transaction; what it has read it asks for no more."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._shared_with = cache(rows.shares.discoveries_for)
        self.members = cache(lambda owner_id: _members(rows, owner_id))

    def is_seen_through(self, association: ResourceDiscoveryAssociation) -> bool:
        is_ending = association.state is AssociationState.DISASSOCIATE_IN_PROGRESS
        return not is_ending and can_see_through(
            association, self._shared_with(association.owner_id)
        )

    def seen(self, after: str) -> Iterator[tuple[str, Part]]:
        first, _, last_account_id = after.partition("/")
        for key, association, discovery in self._rows.discoveries.associated_discoveries(first):
            if self.is_seen_through(association):
                listed_before = last_account_id if key == first else ""
                for part in self._parts(association, discovery, listed_before):
                    yield f"{key}/{part.account_ids[-1]}", part

    def unseen(self, after: str) -> Iterator[tuple[str, Part]]:
        first, _, last_account_id = after.partition("/")
        for discovery, associations in self._rows.discoveries.discoveries_without_ipam(first):
            if not any(map(self.is_seen_through, associations)):
                key = discovery.ipam_resource_discovery_id
                listed_before = last_account_id if key == first else ""
                for part in self._parts(None, discovery, listed_before):
                    yield f"{key}/{part.account_ids[-1]}", part

    def _parts(
        self,
        association: ResourceDiscoveryAssociation | None,
        discovery: ResourceDiscovery,
        listed_before: str,
    ) -> Iterator[Part]:
        members = self.members(discovery.owner_id)
        accounts = [a for a in covered_accounts(discovery, members) if a > listed_before]
        unit_of = {member.account_id: member.unit_id or "" for member in members}
        for start in range(0, len(accounts), ACCOUNTS_PER_PART):
            part = accounts[start : start + ACCOUNTS_PER_PART]
            unit_ids = [unit_of[account_id] for account_id in part] if members else []
            yield Part(association, discovery, part, unit_ids)


def _members(rows: Rows, account_id: str) -> Sequence[Membership]:
    """The accounts of the organization that the account administers IPAM for.

    Where it administers none its own account alone; nothing when it is in no organization.
    """
    if organization_id := administered_organization(rows, account_id):
        return rows.organizations.memberships(organization_id)
    own = rows.organizations.membership(account_id)
    return [own] if own else ()
