"""Answering invitations to shares, and letting an organization do without them (ORG-5)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from services.control_plane.organizations.membership import SHARING_SERVICE
from services.control_plane.organizations.organization import FeatureSet
from services.control_plane.service.organizations.service_access import let_service
from services.control_plane.service.rows import Rows
from services.control_plane.service.shares_holding import hold_owner, pools_of
from services.control_plane.service.shares_users import telling_users
from services.control_plane.service.steps import Accepted
from services.control_plane.sharing.errors import SharingNotPermitted, UnknownInvitation
from services.control_plane.sharing.invitation import (
    Invitation,
    InvitationStatus,
    check_pending,
)
from services.control_plane.sharing.share import AssociationStatus, SharedResource
from shared.caller import Caller


def accept_invitation(
    rows: Rows, caller: Caller, invitation_arn: str, now: datetime
) -> Accepted[Invitation]:
    """Take up what is shared: from now on the caller is one of the share's principals."""
    return _answer(
        rows,
        caller,
        invitation_arn,
        now,
        (InvitationStatus.ACCEPTED, AssociationStatus.ASSOCIATED),
    )


def reject_invitation(
    rows: Rows, caller: Caller, invitation_arn: str, now: datetime
) -> Accepted[Invitation]:
    """Decline what is shared."""
    return _answer(
        rows, caller, invitation_arn, now, (InvitationStatus.REJECTED, AssociationStatus.FAILED)
    )


def invited_resources(
    rows: Rows, caller: Caller, invitation_arn: str, now: datetime
) -> Sequence[SharedResource]:
    """What the caller would be given by accepting, oldest first.

    Raises:
        UnknownInvitation: the caller was sent no such invitation.
        InvitationAnswered: it can't be accepted any more.
    """
    invitation = _received(rows, caller, invitation_arn)
    check_pending(invitation, now)
    having = rows.shares.resources(invitation.resource_share_arn).values()
    return [one for one in having if one.status is AssociationStatus.ASSOCIATED]


def enable_sharing(rows: Rows, caller: Caller, now: datetime) -> Accepted[None]:
    """Let accounts of the caller's organization share with each other uninvited (ORG-4).

    Raises:
        SharingNotPermitted: the caller is not the management account of an organization with all
            features.
    """
    place = rows.organizations.membership(caller.account_id)
    if place is None or not place.is_management:
        raise SharingNotPermitted(
            f"Account {caller.account_id} is not the management account of an organization, and"
            " only that can let its accounts share with each other",
            account_id=caller.account_id,
        )
    organization = rows.organizations.get(place.organization_id)
    if organization and organization.feature_set is not FeatureSet.ALL:
        raise SharingNotPermitted(
            f"Organization {place.organization_id} has the feature set"
            f" '{organization.feature_set}'; sharing within it needs '{FeatureSet.ALL}'",
            organization_id=place.organization_id,
        )
    return let_service(rows, caller, SHARING_SERVICE, now)


def check_known(rows: Rows, caller: Caller, invitation_arns: Collection[str]) -> None:
    """The caller sent or was sent them all.

    Raises:
        UnknownInvitation: one of them is not there for it.
    """
    found = (
        {
            invitation.invitation_arn
            for _, invitation in rows.shares.listed_invitations(
                caller, invitation_arns=invitation_arns, share_arns=(), after=None
            )
        }
        if invitation_arns
        else set()
    )
    for arn in invitation_arns:
        if arn not in found:
            raise UnknownInvitation(arn)


def _answer(
    rows: Rows,
    caller: Caller,
    invitation_arn: str,
    now: datetime,
    becoming: tuple[InvitationStatus, AssociationStatus],
) -> Accepted[Invitation]:
    found = _received(rows, caller, invitation_arn)
    hold_owner(rows, found.sender_id, caller.region)
    rows.shares.share(found.resource_share_arn, lock=True)
    invitation = _received(rows, caller, invitation_arn)
    check_pending(invitation, now)
    status, association_status = becoming
    answered = replace(invitation, status=status)
    principal = rows.shares.principals(invitation.resource_share_arn)[invitation.receiver_id]

    def answer() -> Invitation:
        rows.shares.save_invitation(answered)
        after = replace(principal, status=association_status, updated_at=now)
        rows.shares.save_principal(after)
        return answered

    return telling_users(rows, pools_of(rows, invitation.resource_share_arn), answer)


def _received(rows: Rows, caller: Caller, invitation_arn: str) -> Invitation:
    """An invitation to the caller, in its region.

    Raises:
        UnknownInvitation: there is none.
        SharingNotPermitted: the caller sent it itself.
    """
    invitation = rows.shares.invitation(invitation_arn)
    share = rows.shares.share(invitation.resource_share_arn, lock=False) if invitation else None
    is_here = share is not None and share.region == caller.region
    if invitation is None or not is_here:
        raise UnknownInvitation(invitation_arn)
    if invitation.sender_id == caller.account_id:
        raise SharingNotPermitted(
            f"'{invitation_arn}' is for account {invitation.receiver_id} to answer",
            invitation_arn=invitation_arn,
        )
    if invitation.receiver_id != caller.account_id:
        raise UnknownInvitation(invitation_arn)
    return invitation
