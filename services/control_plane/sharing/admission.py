"""Who may share what with whom (ORG-4, ORG-5)."""

from collections.abc import Collection
from dataclasses import dataclass

from services.control_plane.sharing.errors import (
    InvalidParameter,
    SharingNotPermitted,
    UnknownResource,
)
from services.control_plane.sharing.principals import Principal, PrincipalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An account that shares, and what it is in its organization."""

    account_id: str
    organization_id: str | None = None
    management_account_id: str | None = None
    ipam_administrator_id: str | None = None
    """The organization's delegated IPAM administrator."""
    accounts: Collection[str] = ()
    """Of the organization."""
    is_sharing: bool = False
    """Accounts of the organization share with each other uninvited."""


@dataclass(frozen=True, slots=True)
class Admission:
    """How a principal comes into a share."""

    organization_id: str | None
    """The organization that it has in common with the owner."""
    is_invited: bool
    """It has to accept first."""


def check_may_share_pools(owner: Owner) -> None:
    """Pools are shared by an organization's delegated IPAM administrator (ORG-4, ORG-5).

    Raises:
        SharingNotPermitted: ``owner`` is none.
    """
    if owner.organization_id is None:
        raise SharingNotPermitted(
            f"Account {owner.account_id} is in no organization, and an IPAM of a single account"
            " can't share its pools; share them from the delegated IPAM administrator of an"
            " organization",
            account_id=owner.account_id,
        )
    if owner.ipam_administrator_id != owner.account_id:
        raise SharingNotPermitted(
            f"Account {owner.account_id} is not the delegated IPAM administrator of organization"
            f" {owner.organization_id}, and only it can share pools; its management account makes"
            " one with EnableIpamOrganizationAdminAccount",
            account_id=owner.account_id,
            organization_id=owner.organization_id,
        )


def admission(principal: Principal, owner: Owner, *, allow_external_principals: bool) -> Admission:
    """How ``principal`` comes into a share of ``owner``.

    Whether there is such an OU in the organization is for others to check.

    Raises:
        InvalidParameter: the owner itself, or an account from outside where none is allowed.
        UnknownResource: another organization, or one whose accounts don't share with each other.
    """
    if principal.kind is not PrincipalKind.ACCOUNT:
        _check_own(principal, owner)
        return Admission(owner.organization_id, is_invited=False)
    if principal.holder_id == owner.account_id:
        raise InvalidParameter(
            f"Account {owner.account_id} owns the share; a principal is another account",
            principal=principal.name,
        )
    if principal.holder_id in owner.accounts:
        return Admission(owner.organization_id, is_invited=not owner.is_sharing)
    if not allow_external_principals:
        raise InvalidParameter(
            f"Principal {principal.name} is not in your organization, and this share does not allow"
            " external principals; allow them with AllowExternalPrincipals, or name a principal of"
            " your organization",
            principal=principal.name,
        )
    return Admission(None, is_invited=True)


def _check_own(principal: Principal, owner: Owner) -> None:
    named = (principal.organization_id, principal.management_account_id)
    if named != (owner.organization_id, owner.management_account_id):
        raise UnknownResource(
            f"'{principal.name}' could not be found in the organization of account"
            f" {owner.account_id}; use ARNs of that organization",
            principal=principal.name,
        )
    if not owner.is_sharing:
        raise UnknownResource(
            f"'{principal.name}' could not be found, for organization {owner.organization_id} does"
            " not share within itself; have its management account call"
            " EnableSharingWithAwsOrganization first",
            principal=principal.name,
        )
