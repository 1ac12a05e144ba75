"""What verification does to what waits for it (BYOIP-1, BYOIP-2, ASN-1)."""

from datetime import datetime

from services.control_plane.byoip import byoasn as byoasn_rules
from services.control_plane.byoip import new_range
from services.control_plane.byoip.byoasn import AsnState
from services.control_plane.byoip.byoip_cidr import ByoipCidrState
from services.control_plane.byoip.token import TokenStatus
from services.control_plane.lifecycle import State
from services.control_plane.service.byoip.ports import PendingPoolCidr
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from services.control_plane.verification.claim import (
    CoveredByAssociation,
    DnsToken,
    Proof,
    SignedMessage,
)
from services.control_plane.verification.verdict import Proven, Refuted


def proof_of(rows: Rows, pending: PendingPoolCidr) -> Proof | CoveredByAssociation | Refuted:
    """What a pool's CIDR is to be verified by, or why its token proves nothing."""
    if isinstance(pending.proof, SignedMessage | CoveredByAssociation):
        return pending.proof
    token = rows.byoip.token(pending.proof)
    if token is None or token.state is State.DELETE_IN_PROGRESS:
        return Refuted(f"the verification token '{pending.proof}' does not exist")
    if token.ipam_id != pending.ipam_id:
        return Refuted(
            f"the verification token '{pending.proof}' is not of '{pending.ipam_id}', which the"
            " pool is of"
        )
    if token.status(pending.requested_at) is TokenStatus.EXPIRED:
        expired = f"{token.not_after:%Y-%m-%d %H:%M:%S} UTC"
        return Refuted(
            f"the verification token '{pending.proof}' expired on {expired}; create a new one"
        )
    return DnsToken(token.token_name, token.token_value)


def conclude_byoasn(
    rows: Rows, byoasn_id: str, verdict: Proven | Refuted, now: datetime
) -> Accepted[None]:
    """An ASN is provisioned, or has failed; one that waits no more stays as it is."""
    found = rows.byoip.byoasn(byoasn_id)
    if found is None or rows.ipam(found.ipam_id, lock=True) is None:
        return Accepted(None)
    byoasn = rows.byoip.byoasn(byoasn_id)
    if byoasn and byoasn.state is AsnState.PENDING_PROVISION:
        if isinstance(verdict, Proven) and rows.byoip.holder_of(byoasn.asn):
            verdict = Refuted(f"ASN {byoasn.asn} was provisioned to another IPAM meanwhile")
        rows.byoip.save_byoasn(
            byoasn_rules.failed(byoasn, verdict.reason, now)
            if isinstance(verdict, Refuted)
            else byoasn_rules.provisioned(byoasn)
        )
    return Accepted(None)


def conclude_range(
    rows: Rows, byoip_cidr_id: str, verdict: Proven | Refuted, now: datetime
) -> Accepted[None]:
    """A range without an IPAM is others' to take in, or has failed; otherwise like an ASN."""
    cidr = rows.byoip.cidr(byoip_cidr_id, lock=True)
    is_waiting = cidr is not None and cidr.state is ByoipCidrState.PENDING_PROVISION
    if cidr is None or not is_waiting or cidr.alone.is_proven:
        return Accepted(None)
    if isinstance(verdict, Refuted):
        rows.byoip.save_cidr(new_range.failed(cidr, verdict.reason, now))
        return Accepted(None)
    proven = new_range.proven(cidr, verdict.warning)
    rows.byoip.save_cidr(proven)
    step = NextStep(StepKind.TAKE_IN_BYOIP_CIDR, byoip_cidr_id, proven.version)
    return Accepted(None, (step,))
