"""Who administers IPAM for an organization (ORG-2, ORG-3)."""

from services.control_plane.organizations.membership import IPAM_SERVICE
from services.control_plane.service.rows import Rows


def administered_organization(rows: Rows, account_id: str) -> str | None:
    """The organization whose delegated IPAM administrator the account is; None when of none."""
    membership = rows.organizations.membership(account_id)
    if membership is None:
        return None
    organization_id = membership.organization_id
    administrator = rows.organizations.delegated_administrator(organization_id, IPAM_SERVICE)
    return organization_id if administrator == account_id else None


def held_administered_organization(rows: Rows, account_id: str) -> str | None:
    """The same, locked: delegation and OUs stay as they are until the transaction ends."""
    organization_id = administered_organization(rows, account_id)
    if organization_id is None:
        return None
    rows.organizations.hold(organization_id)
    # Another transaction may have ended meanwhile.
    still = administered_organization(rows, account_id)
    return organization_id if still == organization_id else None
