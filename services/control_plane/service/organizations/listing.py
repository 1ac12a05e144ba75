"""Which accounts belong together, and who pays and administers IPAM for them (ORG-2, IPAM-8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.control_plane.organizations.membership import IPAM_SERVICE
from services.control_plane.organizations.organization import Organization
from services.control_plane.service.rows import Rows

ACCOUNTS_PER_PART = 1000


@dataclass(frozen=True, slots=True)
class OrganizationPart:
    """An organization, or a part of one."""

    organization: Organization
    ipam_administrator_id: str | None
    account_ids: Sequence[str]
    """In order; of a whole larger than `ACCOUNTS_PER_PART` the next so many."""


def organization_parts(
    rows: Rows, account_id: str | None, after: str | None
) -> Iterator[tuple[str, OrganizationPart]]:
    """All organizations by id, each part with its key for paging, beginning after a key.

    With ``account_id`` the one that the account is in.
    """
    first, _, last_account_id = (after or "").partition("/")
    for organization_id in _organization_ids(rows, account_id):
        if organization_id >= first:
            listed_before = last_account_id if organization_id == first else ""
            for part in _parts(rows, organization_id, listed_before):
                yield f"{organization_id}/{part.account_ids[-1]}", part


def _organization_ids(rows: Rows, account_id: str | None) -> Sequence[str]:
    if account_id is None:
        return sorted(rows.organizations.versions())
    membership = rows.organizations.membership(account_id)
    return [membership.organization_id] if membership else []


def _parts(rows: Rows, organization_id: str, listed_before: str) -> Iterator[OrganizationPart]:
    organization = rows.organizations.get(organization_id)
    if organization is None:
        return
    administrator = rows.organizations.delegated_administrator(organization_id, IPAM_SERVICE)
    members = (one.account_id for one in rows.organizations.memberships(organization_id))
    accounts = sorted(account_id for account_id in members if account_id > listed_before)
    for start in range(0, len(accounts), ACCOUNTS_PER_PART):
        part = accounts[start : start + ACCOUNTS_PER_PART]
        yield OrganizationPart(organization, administrator, part)
