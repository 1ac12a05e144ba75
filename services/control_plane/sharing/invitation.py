"""What an account has to accept before a share from outside counts for it (ORG-5)."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.control_plane.sharing.errors import InvitationAnswered

VALID_FOR = timedelta(days=7)
"""How long an invitation can be accepted."""


class InvitationStatus(enum.StrEnum):
    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    """Its time ran out, or the owner took the receiver out of the share."""


_REFUSALS = {
    InvitationStatus.ACCEPTED: "ResourceShareInvitationAlreadyAcceptedException",
    InvitationStatus.REJECTED: "ResourceShareInvitationAlreadyRejectedException",
    InvitationStatus.EXPIRED: "ResourceShareInvitationExpiredException",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation to a share; ``share_name`` is read with it."""

    invitation_arn: str
    resource_share_arn: str
    share_name: str
    sender_id: str
    receiver_id: str
    sent_at: datetime
    status: InvitationStatus = InvitationStatus.PENDING

    def status_at(self, now: datetime) -> InvitationStatus:
        """The status, which the mere passing of time may change."""
        if self.status is InvitationStatus.PENDING and self.sent_at + VALID_FOR <= now:
            return InvitationStatus.EXPIRED
        return self.status


def check_pending(invitation: Invitation, now: datetime) -> None:
    """It can be answered.

    Raises:
        InvitationAnswered: it was, or its time is up.
    """
    status = invitation.status_at(now)
    if status is not InvitationStatus.PENDING:
        raise InvitationAnswered(_REFUSALS[status], invitation.invitation_arn, status.lower())
