"""Autonomous system numbers brought to an IPAM (ASN-1)."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.control_plane.byoip.errors import InvalidAsn
from services.control_plane.errors import StillInUse
from services.control_plane.verification.claim import AsnClaim, SignedMessage
from shared.ids import IdKind

BYOASN = IdKind("byoasn-", "InvalidByoasnId")
"""This context's own: accounts name them by ASN, which may come again after it failed."""

LISTED_FOR = timedelta(days=7)
"""How long what failed, and an ASN that was deprovisioned, is still told (ASN-1)."""

_LARGEST = (1 << 32) - 1
_DOCUMENTATION_OR_PRIVATE = (
    range(64_496, 64_512),
    range(64_512, 65_535),
    range(65_536, 65_552),
    range(4_200_000_000, _LARGEST),
)
"""RFC 5398 and RFC 6996: nobody's on the internet, and anybody's in a laboratory."""
_RESERVED = (range(1), range(23_456, 23_457), range(65_535, 65_536), range(65_552, 131_072))
"""By IANA's registry; nobody's anywhere, and so is the largest."""


class AsnState(enum.StrEnum):
    """AWS's words, but for one: to deprovision an ASN can't fail here."""

    PENDING_PROVISION = "pending-provision"
    PROVISIONED = "provisioned"
    FAILED_PROVISION = "failed-provision"
    PENDING_DEPROVISION = "pending-deprovision"
    DEPROVISIONED = "deprovisioned"


_ENDED = (AsnState.FAILED_PROVISION, AsnState.DEPROVISIONED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Byoasn:
    """An ASN, and how it came to its IPAM."""

    byoasn_id: str
    asn: int
    ipam_id: str
    owner_id: str
    ipam_region: str
    proof: SignedMessage
    requested_at: datetime
    state: AsnState = AsnState.PENDING_PROVISION
    status_message: str | None = None
    is_proven: bool = False
    """The account controls it, and no other IPAM has it until this one has ended."""
    ended_at: datetime | None = None
    """When it failed or was deprovisioned."""
    version: int = 1
    """Grows with every change."""

    @property
    def claim(self) -> AsnClaim:
        return AsnClaim(self.asn, self.owner_id)

    @property
    def is_live(self) -> bool:
        """It counts for quotas, and a new request for the same ASN would be one too many."""
        return self.state not in _ENDED


def parse_asn(text: str, *, reserved_allowed: bool) -> int:
    """Read an ASN that an account may bring along; with ``reserved_allowed`` of a laboratory, too.

    Raises:
        InvalidAsn: it is none, or nobody's.
    """
    number = asn_of(text)
    if number == _LARGEST or any(number in block for block in _RESERVED):
        raise InvalidAsn(text, "it is reserved by IANA, and nobody's; use a public ASN")
    if not reserved_allowed and any(number in block for block in _DOCUMENTATION_OR_PRIVATE):
        raise InvalidAsn(
            text, "it is for private use or documentation, and nobody's; use a public ASN"
        )
    return number


def asn_of(text: str) -> int:
    """Read any ASN.

    Raises:
        InvalidAsn: it is not written as one.
    """
    is_decimal = text.isascii() and text.isdigit() and not text.startswith("0")
    if not is_decimal or int(text) > _LARGEST:
        raise InvalidAsn(text, f"write a number from 1 to {_LARGEST - 1}, such as '16509'")
    return int(text)


def provisioned(byoasn: Byoasn) -> Byoasn:
    """``byoasn`` once its control is proven."""
    return replace(byoasn, state=AsnState.PROVISIONED, is_proven=True, version=byoasn.version + 1)


def failed(byoasn: Byoasn, reason: str, now: datetime) -> Byoasn:
    """``byoasn`` when its control will not be proven."""
    return replace(
        byoasn,
        state=AsnState.FAILED_PROVISION,
        status_message=reason,
        ended_at=now,
        version=byoasn.version + 1,
    )


def deprovisioning(byoasn: Byoasn, associated: Sequence[str]) -> Byoasn:
    """``byoasn`` on its way out; ``associated`` are the CIDRs that it may originate.

    Raises:
        StillInUse: there is such a CIDR.
    """
    if associated:
        raise StillInUse(
            f"ASN {byoasn.asn} can't be deprovisioned while it is associated with CIDRs;"
            " disassociate it first (DisassociateIpamByoasn)",
            str(byoasn.asn),
            associated,
        )
    return replace(byoasn, state=AsnState.PENDING_DEPROVISION, version=byoasn.version + 1)


def deprovisioned(byoasn: Byoasn, now: datetime) -> Byoasn:
    """``byoasn`` when it is out."""
    return replace(
        byoasn,
        state=AsnState.DEPROVISIONED,
        is_proven=False,
        ended_at=now,
        version=byoasn.version + 1,
    )
