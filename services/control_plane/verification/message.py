"""Authorization messages: what an account signs to bring a range or an ASN (BYOIP-1, ASN-1)."""

from datetime import date

from services.control_plane.verification.claim import AsnClaim, Claim, RangeClaim
from services.control_plane.verification.errors import (
    MalformedExpiryDate,
    MessageExpired,
    WrongAccount,
    WrongAsn,
    WrongCidr,
    WrongDigest,
    WrongNumberOfFields,
    WrongSignatureScheme,
    WrongVendor,
    WrongVersion,
)
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue

_FIELDS = 7


def check_message(message: str, claim: Claim, today: date) -> None:
    """See whether the message, rightly signed, would prove the claim on this day in UTC.

    Raises:
        MessageRefused: it would not; the first field that is wrong decides of which class.
    """
    fields = message.split("|")
    if len(fields) != _FIELDS:
        raise WrongNumberOfFields(message, len(fields))
    version, vendor, account, subject, expiry, digest, scheme = fields
    if version != "1":
        raise WrongVersion(version, "1")
    if vendor != "aws":
        raise WrongVendor(vendor, "aws")
    if account != claim.account_id:
        raise WrongAccount(account, claim.account_id)
    _check_subject(subject, claim)
    _check_expiry(expiry, today)
    if digest != "SHA256":
        raise WrongDigest(digest, "SHA256")
    if scheme != "RSAPSS":
        raise WrongSignatureScheme(scheme, "RSAPSS")


def _check_subject(text: str, claim: Claim) -> None:
    match claim:
        case RangeClaim(cidr):
            if _cidr(text) != cidr:
                raise WrongCidr(text, claim.subject)
        case AsnClaim():
            if text != claim.subject:
                raise WrongAsn(text, claim.subject)


def _cidr(text: str) -> Cidr | None:
    try:
        return Cidr.parse(text)
    except InvalidParameterValue:
        return None


def _check_expiry(text: str, today: date) -> None:
    # ISO 8601 has other forms, too, but only this one is all digits.
    if not (text.isascii() and text.isdigit()):
        raise MalformedExpiryDate(text)
    try:
        last_day = date.fromisoformat(text)
    except ValueError:
        raise MalformedExpiryDate(text) from None
    if last_day < today:
        raise MessageExpired(text, today)
