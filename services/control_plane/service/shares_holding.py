"""Finding a share, and keeping it still while it is decided upon (BEY-12)."""

from services.control_plane.organizations.membership import IPAM_SERVICE, SHARING_SERVICE
from services.control_plane.service.rows import Rows
from services.control_plane.sharing.admission import Owner
from services.control_plane.sharing.arns import ResourceType
from services.control_plane.sharing.errors import SharingNotPermitted, UnknownResource
from services.control_plane.sharing.share import AssociationStatus, Share, ShareStatus
from shared.caller import Caller


def hold_owner(rows: Rows, account_id: str, region: str) -> Owner:
    """An account that shares; its organization, if any, and its IPAM in the region are locked."""
    if found := rows.organizations.membership(account_id):
        rows.organizations.hold(found.organization_id)
    rows.ipam_in(account_id, region, lock=True)
    place = rows.organizations.membership(account_id)
    if place is None:
        return Owner(account_id=account_id)
    organization_id = place.organization_id
    organizations = rows.organizations
    return Owner(
        account_id=account_id,
        organization_id=organization_id,
        management_account_id=place.management_account_id,
        ipam_administrator_id=organizations.delegated_administrator(organization_id, IPAM_SERVICE),
        accounts=organizations.accounts_in(organization_id),
        is_sharing=organizations.has_service_access(organization_id, SHARING_SERVICE),
    )


def hold_share(rows: Rows, caller: Caller, resource_share_arn: str) -> tuple[Share, Owner]:
    """An active share of the caller's region, whoever's it is, and its owner; both are locked.

    Raises:
        UnknownResource: there is none.
    """
    found = rows.shares.share(resource_share_arn, lock=False)
    if found is None or found.region != caller.region:
        raise unknown_share(resource_share_arn)
    owner = hold_owner(rows, found.owner_id, found.region)
    share = rows.shares.share(resource_share_arn, lock=True)
    if share is None or share.status is not ShareStatus.ACTIVE:
        raise unknown_share(resource_share_arn)
    return share, owner


def hold_own_share(rows: Rows, caller: Caller, resource_share_arn: str) -> tuple[Share, Owner]:
    """Like `hold_share`, but it is the caller's.

    Raises:
        UnknownResource: there is none that the caller may see.
        SharingNotPermitted: it is another account's.
    """
    share, owner = hold_share(rows, caller, resource_share_arn)
    if share.owner_id != caller.account_id:
        check_sees(rows, caller, resource_share_arn)
        raise SharingNotPermitted(
            f"'{resource_share_arn}' is account {share.owner_id}'s, and only it can change the"
            " share; you can leave it with DisassociateResourceShare",
            resource_share_arn=resource_share_arn,
            owner_id=share.owner_id,
        )
    return share, owner


def check_sees(rows: Rows, caller: Caller, resource_share_arn: str) -> None:
    """The caller is a principal of another account's share.

    Raises:
        UnknownResource: it is not, or there is no such share.
    """
    if not rows.shares.has(caller, resource_share_arn):
        raise unknown_share(resource_share_arn)


def unknown_share(resource_share_arn: str) -> UnknownResource:
    """The refusal for a share that is not there for the caller."""
    return UnknownResource(
        f"The resource share '{resource_share_arn}' could not be found",
        resource_share_arn=resource_share_arn,
    )


def pools_of(rows: Rows, resource_share_arn: str) -> list[str]:
    """The pools that a share has."""
    return [
        resource.resource_id
        for resource in rows.shares.resources(resource_share_arn).values()
        if resource.resource_type is ResourceType.IPAM_POOL
        and resource.status is AssociationStatus.ASSOCIATED
    ]
