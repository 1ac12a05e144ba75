"""Bringing a range along without an IPAM: what may be brought, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.control_plane.byoip.byoasn import LISTED_FOR
from services.control_plane.byoip.byoip_cidr import (
    BroughtAlone,
    ByoipCidr,
    ByoipCidrState,
)
from services.control_plane.verification.claim import Claim, RangeClaim, SignedMessage
from services.control_plane.verification.message import check_message
from services.control_plane.verification.signature import decode_signature
from shared.caller import Caller
from shared.cidr import AddressFamily, Cidr
from shared.errors import (
    IncorrectState,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
    OperationNotPermitted,
)
from shared.regions import region_of

_LONGEST_IPV4 = 24
_LONGEST_IPV6 = {True: 48, False: 60}
"""By whether it may be advertised (PROV-6)."""

_REPLACEABLE = (ByoipCidrState.FAILED_PROVISION, ByoipCidrState.COMPLETE_TRANSFER)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRange:
    """What a caller may say about a range to be brought along."""

    cidr: Cidr
    proof: SignedMessage | None = None
    publicly_advertisable: bool | None = None
    description: str | None = None
    pool_tags: Mapping[str, str]
    network_border_group: str | None = None


def range_to_bring(
    wanted: NewRange, caller: Caller, *, byoip_cidr_id: str, pool_id: str, now: datetime
) -> ByoipCidr:
    """The range, on its way to being verified (BYOIP-1).

    Raises:
        InvalidParameterValue: it is too specific, its border group lies elsewhere, or its message
            can't prove anything.
        InvalidParameterCombination: members that mean nothing for its family.
        MissingParameter: there is no proof.
    """
    is_ipv4 = wanted.cidr.family is AddressFamily.IPV4
    _check_family_members(wanted, is_ipv4=is_ipv4)
    advertisable = wanted.publicly_advertisable is not False
    _check_specificity(wanted.cidr, publicly_advertisable=advertisable)
    group = wanted.network_border_group or caller.region
    _check_border_group(group, caller.region, is_ipv4=is_ipv4)
    if wanted.proof is None:
        raise MissingParameter("cidrAuthorizationContext")
    check_proof(wanted.proof, RangeClaim(wanted.cidr, caller.account_id), now.date())
    return ByoipCidr(
        byoip_cidr_id=byoip_cidr_id,
        cidr=wanted.cidr,
        owner_id=caller.account_id,
        region=caller.region,
        network_border_group=group,
        holder=BroughtAlone(
            proof=wanted.proof,
            requested_at=now,
            description=wanted.description,
            publicly_advertisable=advertisable,
            pool_id=pool_id if is_ipv4 else None,
            pool_tags=wanted.pool_tags,
        ),
        state=ByoipCidrState.PENDING_PROVISION,
    )


def check_proof(proof: SignedMessage, claim: Claim, today: date) -> None:
    """What its author can mend of a proof is found before anybody is asked (BYOIP-1, ASN-1).

    Raises:
        InvalidParameterValue: the message or the form of its signature is wrong.
    """
    check_message(proof.message, claim, today)
    decode_signature(proof.signature)


def check_may_be_brought(existing: ByoipCidr | None) -> None:
    """The account has no such range, or what is left of one that failed or moved to a pool.

    Raises:
        InvalidParameterValue: it has.
    """
    if existing and existing.state not in _REPLACEABLE:
        raise InvalidParameterValue(
            f"Value ({existing.cidr}) for parameter cidr is invalid; you brought it along to"
            f" {existing.region} already, and it is in state '{existing.state}'",
            parameter="cidr",
            value=existing.cidr,
            region=existing.region,
            state=existing.state,
        )


def is_told(cidr: ByoipCidr, now: datetime) -> bool:
    """It is the account's to see, and counts for its quota.

    Not when it is a pool's by now, or failed as long ago as ASNs that failed are told (ASN-1).
    """
    failed_at = cidr.alone.failed_at
    has_vanished = failed_at is not None and failed_at <= now - LISTED_FOR
    return cidr.state is not ByoipCidrState.COMPLETE_TRANSFER and not has_vanished


def proven(cidr: ByoipCidr, warning: str | None) -> ByoipCidr:
    """``cidr`` once its control is proven: ledger and network are to be told."""
    return replace(
        cidr,
        holder=replace(cidr.alone, is_proven=True),
        status_message=warning,
        version=cidr.version + 1,
    )


def taken_in(cidr: ByoipCidr) -> ByoipCidr:
    """``cidr`` once ledger and network have it."""
    return replace(cidr, state=cidr.resting_state, version=cidr.version + 1)


def failed(cidr: ByoipCidr, reason: str, now: datetime) -> ByoipCidr:
    """``cidr`` when it will not be provisioned (BEY-4)."""
    return replace(
        cidr,
        holder=replace(cidr.alone, failed_at=now),
        state=ByoipCidrState.FAILED_PROVISION,
        status_message=reason,
        version=cidr.version + 1,
    )


def deprovisioning(cidr: ByoipCidr) -> ByoipCidr:
    """``cidr`` on its way out, from wherever it got to.

    Raises:
        IncorrectState: it is advertised, associated with an ASN, or on its way to a pool.
    """
    if reason := cidr.reason_to_stay:
        raise IncorrectState(
            f"{cidr.cidr} can't be deprovisioned: {reason}", cidr=cidr.cidr, state=cidr.state
        )
    if cidr.state is ByoipCidrState.PENDING_TRANSFER:
        raise IncorrectState(
            f"{cidr.cidr} is in state '{cidr.state}'; it is its pool's to deprovision soon",
            cidr=cidr.cidr,
            state=cidr.state,
        )
    return replace(
        cidr,
        state=ByoipCidrState.PENDING_DEPROVISION,
        status_message=None,
        version=cidr.version + 1,
    )


def check_advertisable(cidr: ByoipCidr) -> None:
    """It was not brought along to be kept from the internet.

    Raises:
        OperationNotPermitted: it was.
    """
    if not cidr.is_advertisable:
        raise OperationNotPermitted(
            f"{cidr.cidr} can't be advertised: it was brought along as not publicly advertisable",
            cidr=cidr.cidr,
        )


def _check_family_members(wanted: NewRange, *, is_ipv4: bool) -> None:
    if is_ipv4 and wanted.publicly_advertisable is False:
        raise InvalidParameterCombination(
            "PubliclyAdvertisable 'false' is for IPv6 alone; leave it out, for what is not"
            " advertised with AdvertiseByoipCidr is not advertised",
            parameter="publiclyAdvertisable",
            value="false",
        )
    if not is_ipv4 and wanted.pool_tags:
        raise InvalidParameterCombination(
            f"No public IPv4 pool is made of {wanted.cidr}; leave PoolTagSpecifications out",
            parameter="poolTagSpecification",
            cidr=wanted.cidr,
        )


def _check_specificity(cidr: Cidr, *, publicly_advertisable: bool) -> None:
    is_ipv4 = cidr.family is AddressFamily.IPV4
    longest = _LONGEST_IPV4 if is_ipv4 else _LONGEST_IPV6[publicly_advertisable]
    if cidr.prefix_length > longest:
        raise InvalidParameterValue(
            f"Value ({cidr}) for parameter cidr is invalid; the most specific range that can be"
            f" brought along is /{longest}",
            parameter="cidr",
            value=cidr,
            longest=longest,
        )


def _check_border_group(group: str, region: str, *, is_ipv4: bool) -> None:
    if region_of(group) != region or not (is_ipv4 or group == region):
        raise InvalidParameterValue(
            f"Value ({group}) for parameter networkBorderGroup is invalid; use '{region}' or, for"
            " IPv4, a group of its Local Zones",
            parameter="networkBorderGroup",
            value=group,
            region=region,
        )
