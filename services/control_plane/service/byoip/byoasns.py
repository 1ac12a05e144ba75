"""What can be done to ASNs that are brought along (ASN-1)."""

from datetime import datetime

from services.control_plane.byoip import byoasn as rules
from services.control_plane.byoip.byoasn import BYOASN, AsnState, Byoasn
from services.control_plane.byoip.errors import IpamByoasnLimitExceeded, UnknownAsn
from services.control_plane.lifecycle import check_usable
from services.control_plane.quotas import Quotas
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from services.control_plane.verification.claim import AsnClaim, SignedMessage
from shared.caller import Caller
from shared.errors import IncorrectState


def provision_byoasn(
    rows: Rows,
    caller: Caller,
    ipam_id: str,
    claimed: tuple[AsnClaim, SignedMessage],
    quotas: Quotas,
    now: datetime,
) -> Accepted[Byoasn]:
    """Bring an ASN to the caller's IPAM, to be verified from now on.

    Raises:
        UnknownId: it is not the caller's IPAM, or not in this region.
        IncorrectState: the ASN is there already, or proven of another IPAM.
        IpamByoasnLimitExceeded: the IPAM has as many as it may have.
    """
    claim, proof = claimed
    ipam = hold_ipam(rows, caller, ipam_id)
    check_usable(ipam.ipam_id, ipam.state)
    live = [one for one in rows.byoip.byoasns(ipam_id) if one.is_live]
    _check_not_there(rows, claim.asn, [one for one in live if one.asn == claim.asn])
    quota = quotas.byoasns_per_ipam.of(ipam.owner_id)
    if len(live) >= quota:
        raise IpamByoasnLimitExceeded(ipam_id, len(live), quota)
    byoasn = Byoasn(
        byoasn_id=BYOASN.new(),
        asn=claim.asn,
        ipam_id=ipam_id,
        owner_id=ipam.owner_id,
        ipam_region=ipam.region,
        proof=proof,
        requested_at=now,
    )
    rows.byoip.add_byoasn(byoasn)
    return Accepted(byoasn)


def deprovision_byoasn(rows: Rows, caller: Caller, ipam_id: str, asn: int) -> Accepted[Byoasn]:
    """Take an ASN away from the caller's IPAM, also while it waits to be verified.

    Raises:
        UnknownId: it is not the caller's IPAM, or not in this region.
        UnknownAsn: the IPAM has no such ASN.
        StillInUse: it is associated with CIDRs.
    """
    hold_ipam(rows, caller, ipam_id)
    found = rows.byoip.byoasns(ipam_id)
    before = next((one for one in found if one.is_live and one.asn == asn), None)
    if before is None:
        raise UnknownAsn(asn, f"'{ipam_id}'")
    if before.state is AsnState.PENDING_DEPROVISION:
        return Accepted(before)
    associated = rows.byoip.associated_with(asn) if before.is_proven else ()
    byoasn = rules.deprovisioning(before, [str(cidr) for cidr in associated])
    rows.byoip.save_byoasn(byoasn)
    step = NextStep(StepKind.REMOVE_BYOASN, byoasn.byoasn_id, byoasn.version)
    return Accepted(byoasn, (step,))


def _check_not_there(rows: Rows, asn: int, own: list[Byoasn]) -> None:
    for found in own:
        raise IncorrectState(
            f"ASN {asn} is brought to '{found.ipam_id}' already, in state '{found.state}'",
            asn=asn,
            ipam_id=found.ipam_id,
            state=found.state,
        )
    if rows.byoip.holder_of(asn):
        raise IncorrectState(
            f"ASN {asn} is provisioned to another IPAM; deprovision it there first", asn=asn
        )
