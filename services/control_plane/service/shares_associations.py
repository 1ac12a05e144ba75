"""Putting resources and principals into a share, and taking them out."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.control_plane.lifecycle import State
from services.control_plane.pool import Pool
from services.control_plane.resource_discoveries.resource_discovery import ResourceDiscovery
from services.control_plane.service.rows import Rows
from services.control_plane.service.shares_holding import (
    check_sees,
    hold_own_share,
    hold_share,
    pools_of,
)
from services.control_plane.service.shares_users import telling_users
from services.control_plane.service.steps import Accepted
from services.control_plane.sharing.admission import (
    Admission,
    Owner,
    admission,
    check_may_share_pools,
)
from services.control_plane.sharing.arns import ResourceArn, ResourceType, invitation_arn
from services.control_plane.sharing.errors import SharingNotPermitted, UnknownResource
from services.control_plane.sharing.invitation import VALID_FOR, Invitation
from services.control_plane.sharing.permissions import completed
from services.control_plane.sharing.principals import Principal, PrincipalKind
from services.control_plane.sharing.share import (
    AssociationStatus,
    Share,
    SharedResource,
    SharePrincipal,
)
from shared.caller import Caller

Association = TypeVar("Association", SharedResource, SharePrincipal)
Associations = Sequence[SharedResource | SharePrincipal]


def associate(
    rows: Rows,
    caller: Caller,
    resource_share_arn: str,
    resources: Sequence[ResourceArn],
    principals: Sequence[Principal],
    now: datetime,
) -> Accepted[Associations]:
    """Add resources and principals to a share; what it has already stays as it is."""
    share, owner = hold_own_share(rows, caller, resource_share_arn)
    added = [r.resource_id for r in resources if r.resource_type is ResourceType.IPAM_POOL]
    return telling_users(
        rows,
        {*pools_of(rows, resource_share_arn), *added},
        lambda: add_to_share(rows, share, owner, resources, principals, now),
    )


def disassociate(
    rows: Rows,
    caller: Caller,
    resource_share_arn: str,
    resource_arns: Sequence[str],
    principals: Sequence[str],
    now: datetime,
) -> Accepted[Associations]:
    """Take resources and principals out of a share; an account may take itself out (ORG-5)."""
    share, _ = hold_share(rows, caller, resource_share_arn)
    present = rows.shares.principals(resource_share_arn)
    if share.owner_id != caller.account_id:
        _check_leaves(rows, caller, resource_share_arn, present, resource_arns, principals, now)
    leaving = [_found(present, name, resource_share_arn) for name in principals]
    having = rows.shares.resources(resource_share_arn)
    unshared = [_found(having, arn, resource_share_arn) for arn in resource_arns]
    return telling_users(
        rows,
        pools_of(rows, resource_share_arn),
        lambda: [
            *(_take_resource_out(rows, resource, now) for resource in unshared),
            *(_take_principal_out(rows, principal, now) for principal in leaving),
        ],
    )


def add_to_share(
    rows: Rows,
    share: Share,
    owner: Owner,
    resources: Iterable[ResourceArn],
    principals: Iterable[Principal],
    now: datetime,
) -> Associations:
    """Resources and principals, each as it is in the share from now on; the owner is held.

    Raises:
        UnknownResource: a resource is not the owner's, or an OU or organization is not its own.
        SharingNotPermitted: a resource's home is elsewhere, or the owner may not share pools.
        InvalidParameter: a principal that the share can't have.
    """
    having, present = (
        rows.shares.resources(share.resource_share_arn),
        rows.shares.principals(share.resource_share_arn),
    )
    added: list[SharedResource | SharePrincipal] = [
        _put_resource(rows, share, resource, having.get(resource.arn), now)
        for resource in dict.fromkeys(resources)
    ]
    types = {
        resource.resource_type
        for resource in rows.shares.resources(share.resource_share_arn).values()
        if resource.status is AssociationStatus.ASSOCIATED
    }
    if ResourceType.IPAM_POOL in types:
        check_may_share_pools(owner)
    rows.shares.save(
        replace(share, permissions=completed(share.permissions, types), updated_at=now)
    )
    added += [
        _put_principal(rows, share, owner, principal, present.get(principal.name), now)
        for principal in dict.fromkeys(principals)
    ]
    return added


def _put_resource(
    rows: Rows, share: Share, resource: ResourceArn, present: SharedResource | None, now: datetime
) -> SharedResource:
    _check_shareable(rows, share, resource)
    if present and present.status is AssociationStatus.ASSOCIATED:
        return present
    added = SharedResource(
        resource_share_arn=share.resource_share_arn,
        share_name=share.name,
        resource_arn=resource.arn,
        resource_type=resource.resource_type,
        resource_id=resource.resource_id,
        status=AssociationStatus.ASSOCIATED,
        created_at=now,
        updated_at=now,
    )
    rows.shares.save_resource(added)
    return added


def _check_shareable(rows: Rows, share: Share, resource: ResourceArn) -> None:
    region = _home_region(rows, share.owner_id, resource)
    if region is None or resource.owner_id != share.owner_id:
        raise UnknownResource(
            f"The resource '{resource.arn}' could not be found; share IPAM pools and resource"
            f" discoveries of account {share.owner_id}",
            resource_arn=resource.arn,
        )
    if region != share.region:
        raise SharingNotPermitted(
            f"'{resource.arn}' is at home in {region}, and the share is in {share.region}; share it"
            f" in {region}",
            resource_arn=resource.arn,
            region=region,
        )


def _home_region(rows: Rows, owner_id: str, resource: ResourceArn) -> str | None:
    """Where the owner has the resource; None when it has it nowhere, or not for long."""
    found: Pool | ResourceDiscovery | None
    if resource.resource_type is ResourceType.IPAM_POOL:
        found = rows.pool(resource.resource_id)
    else:
        found = rows.discoveries.discovery(resource.resource_id, lock=True)
    if found is None or found.owner_id != owner_id or found.state is State.DELETE_IN_PROGRESS:
        return None
    return found.ipam_region if isinstance(found, Pool) else found.region


def _put_principal(
    rows: Rows,
    share: Share,
    owner: Owner,
    principal: Principal,
    present: SharePrincipal | None,
    now: datetime,
) -> SharePrincipal:
    admitted = admission(
        principal, owner, allow_external_principals=share.allow_external_principals
    )
    _check_unit(rows, principal)
    if present and _stays(present, admitted, now):
        return present
    if present:
        # An older invitation, were it answered later, would undo what becomes of this one.
        rows.shares.withdraw_invitation(share.resource_share_arn, principal.holder_id)
    added = SharePrincipal(
        resource_share_arn=share.resource_share_arn,
        share_name=share.name,
        principal=principal.name,
        kind=principal.kind,
        holder_id=principal.holder_id,
        organization_id=admitted.organization_id,
        invitation_expires_at=now + VALID_FOR if admitted.is_invited else None,
        status=(
            AssociationStatus.ASSOCIATING if admitted.is_invited else AssociationStatus.ASSOCIATED
        ),
        created_at=now,
        updated_at=now,
    )
    rows.shares.save_principal(added)
    if admitted.is_invited:
        _invite(rows, share, principal, now)
    return added


def _stays(present: SharePrincipal, admitted: Admission, now: datetime) -> bool:
    """It is in the share still, and by what admits it now."""
    return (
        present.is_in_at(now)
        # Who was of the organization and left it needs an invitation now.
        and present.organization_id in (None, admitted.organization_id)
        # So does who was let in without one while the organization shared within itself.
        and (present.invitation_expires_at is not None or not admitted.is_invited)
    )


def _invite(rows: Rows, share: Share, principal: Principal, now: datetime) -> None:
    rows.shares.add_invitation(
        Invitation(
            invitation_arn=invitation_arn(share.region, share.owner_id, str(uuid.uuid4())),
            resource_share_arn=share.resource_share_arn,
            share_name=share.name,
            sender_id=share.owner_id,
            receiver_id=principal.holder_id,
            sent_at=now,
        )
    )


def _check_unit(rows: Rows, principal: Principal) -> None:
    """An OU must be there; that the organization is the owner's is known by now."""
    if principal.kind is not PrincipalKind.ORGANIZATIONAL_UNIT or not principal.organization_id:
        return
    if rows.organizations.units.get(principal.organization_id, principal.holder_id) is None:
        raise UnknownResource(
            f"The organizational unit '{principal.name}' could not be found",
            principal=principal.name,
        )


def _check_leaves(
    rows: Rows,
    caller: Caller,
    resource_share_arn: str,
    present: Mapping[str, SharePrincipal],
    resource_arns: Sequence[str],
    principals: Sequence[str],
    now: datetime,
) -> None:
    """The caller, whose share it is not, takes itself out and nothing else.

    Raises:
        UnknownResource: it sees no such share.
        SharingNotPermitted: it is in the share with its OU or organization, or wants more.
    """
    own = present.get(caller.account_id)
    if own is None or not own.is_in_at(now):
        check_sees(rows, caller, resource_share_arn)
        raise SharingNotPermitted(
            f"Account {caller.account_id} has '{resource_share_arn}' by its organizational unit or"
            " organization, which the share's owner alone can take out",
            resource_share_arn=resource_share_arn,
        )
    if resource_arns or set(principals) != {caller.account_id}:
        raise SharingNotPermitted(
            f"Account {caller.account_id} does not own '{resource_share_arn}'; it can take out"
            " itself, and nothing else",
            resource_share_arn=resource_share_arn,
        )


def _found(present: Mapping[str, Association], name: str, share_arn: str) -> Association:
    if name not in present:
        raise UnknownResource(
            f"'{name}' could not be found in '{share_arn}'; GetResourceShareAssociations tells what"
            " it has",
            associated_entity=name,
            resource_share_arn=share_arn,
        )
    return present[name]


def _take_resource_out(rows: Rows, resource: SharedResource, now: datetime) -> SharedResource:
    if resource.status is AssociationStatus.DISASSOCIATED:
        return resource
    after = replace(resource, status=AssociationStatus.DISASSOCIATED, updated_at=now)
    rows.shares.save_resource(after)
    return after


def _take_principal_out(rows: Rows, principal: SharePrincipal, now: datetime) -> SharePrincipal:
    if principal.status is AssociationStatus.DISASSOCIATED:
        return principal
    after = replace(principal, status=AssociationStatus.DISASSOCIATED, updated_at=now)
    rows.shares.save_principal(after)
    rows.shares.withdraw_invitation(after.resource_share_arn, after.holder_id)
    return after
