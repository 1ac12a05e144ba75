"""Proof of control by a signature and a certificate in the registry's record (BYOIP-1, ASN-1)."""

from datetime import datetime

from services.control_plane.verification.claim import Claim, RangeClaim
from services.control_plane.verification.rdap_records import (
    Record,
    certificates,
    covers_asn,
    covers_range,
)
from services.control_plane.verification.signature import fault_of
from services.control_plane.verification.verdict import Proven, Refuted, Unproven, Verdict


def record_verdict(
    record: Record, claim: Claim, message: str, signature: bytes, now: datetime
) -> Verdict:
    """Proven when the record is about all that is claimed, and a certificate in it fits.

    Refuted when it is about something else, or no certificate's key made the signature; all else
    the holder can put right in the record.
    """
    if not _covers(record, claim):
        return Refuted(f"the RDAP record that was found is not about all of {claim.subject}")
    found = certificates(record)
    if not found:
        return Unproven(f"there is no certificate in the remarks of {_named(claim)}")
    faults = [fault_of(certificate, message, signature, now) for certificate in found]
    if None in faults:
        return Proven()
    # A fault that can be put right says more than that the signature is not another certificate's.
    worst = min(filter(None, faults), key=lambda fault: fault.is_final)
    reason = f"{worst.reason}; the certificate is in the remarks of {_named(claim)}"
    return Refuted(reason) if worst.is_final else Unproven(reason)


def _covers(record: Record, claim: Claim) -> bool:
    if isinstance(claim, RangeClaim):
        return covers_range(record, claim.cidr)
    return covers_asn(record, claim.asn)


def _named(claim: Claim) -> str:
    return f"the RDAP record of {claim.subject}"
