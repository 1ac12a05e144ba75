"""What can be done to verification tokens (BYOIP-2)."""

import random
from datetime import datetime

from services.control_plane.byoip.errors import IpamExternalResourceVerificationTokenLimitExceeded
from services.control_plane.byoip.token import (
    TOKENS_PER_IPAM,
    VALID_FOR,
    VerificationToken,
    deleting,
    new_name,
    new_value,
)
from services.control_plane.lifecycle import check_usable
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.ids import IPAM_EXTERNAL_RESOURCE_VERIFICATION_TOKEN as TOKEN
from shared.tags import Tags

# Not to be foreseen: a value that is told in somebody's zone is proof.
_random = random.SystemRandom()


def create_token(
    rows: Rows, caller: Caller, ipam_id: str, tags: Tags, now: datetime
) -> Accepted[VerificationToken]:
    """Make a token for the caller's IPAM."""
    ipam = hold_ipam(rows, caller, ipam_id)
    check_usable(ipam.ipam_id, ipam.state)
    count = rows.byoip.token_count(ipam_id)
    if count >= TOKENS_PER_IPAM:
        raise IpamExternalResourceVerificationTokenLimitExceeded(ipam_id, count, TOKENS_PER_IPAM)
    token = VerificationToken(
        ipam_external_resource_verification_token_id=TOKEN.new(),
        ipam_id=ipam_id,
        owner_id=ipam.owner_id,
        ipam_region=ipam.region,
        token_name=new_name(_random),
        token_value=new_value(_random),
        not_after=now + VALID_FOR,
        tags=tags,
    )
    rows.byoip.add_token(token)
    return _accepted(token, StepKind.SETTLE_VERIFICATION_TOKEN)


def delete_token(rows: Rows, caller: Caller, token_id: str) -> Accepted[VerificationToken]:
    """Take a token out of use, then remove it; what it proved stays.

    Raises:
        UnknownId: the caller's IPAM here has no such token.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=True)
    found = rows.byoip.token(token_id)
    if ipam is None or found is None or found.ipam_id != ipam.ipam_id:
        raise TOKEN.unknown(token_id)
    token = deleting(found)
    rows.byoip.save_token(token)
    return _accepted(token, StepKind.REMOVE_VERIFICATION_TOKEN)


def _accepted(token: VerificationToken, kind: StepKind) -> Accepted[VerificationToken]:
    token_id = token.ipam_external_resource_verification_token_id
    return Accepted(token, (NextStep(kind, token_id, token.version),))
