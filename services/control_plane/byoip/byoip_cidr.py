"""CIDRs of public space that somebody brought along, and how they are advertised.

Kept here are those that came without an IPAM, all the time, and CIDRs of IPAM pools while there is
something to tell of them that the ledger doesn't know: that they are advertised, and by which ASNs.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from services.control_plane.byoip.asn_association import AsnAssociation, AssociationState
from services.control_plane.byoip.errors import NotAssociated, TooSoon
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.verification.claim import RangeClaim, SignedMessage
from shared.cidr import Cidr
from shared.errors import DependencyViolation, IncorrectState
from shared.ids import IdKind
from shared.regions import region_of

BYOIP_CIDR = IdKind("byoip-cidr-", "InvalidByoipCidrId")
"""This context's own: accounts name these things by CIDR."""

BETWEEN_OWN_ORIGINS = timedelta(hours=1)
"""Time between two changes from Amazon's ASN to an own one (ASN-3)."""


class ByoipCidrState(enum.StrEnum):
    """AWS's words; what was deprovisioned is gone."""

    PENDING_PROVISION = "pending-provision"
    FAILED_PROVISION = "failed-provision"
    PROVISIONED = "provisioned"
    PROVISIONED_NOT_PUBLICLY_ADVERTISABLE = "provisioned-not-publicly-advertisable"
    PENDING_ADVERTISING = "pending-advertising"
    ADVERTISED = "advertised"
    PENDING_WITHDRAWAL = "pending-withdrawal"
    PENDING_DEPROVISION = "pending-deprovision"
    FAILED_DEPROVISION = "failed-deprovision"
    PENDING_TRANSFER = "pending-transfer"
    COMPLETE_TRANSFER = "complete-transfer"
    FAILED_TRANSFER = "failed-transfer"


_UNUSABLE = (
    ByoipCidrState.PENDING_PROVISION,
    ByoipCidrState.FAILED_PROVISION,
    ByoipCidrState.PENDING_DEPROVISION,
    ByoipCidrState.PENDING_TRANSFER,
    ByoipCidrState.COMPLETE_TRANSFER,
)


class Origin(enum.Enum):
    """By whose ASN a CIDR is to be advertised, if by no own one in particular."""

    AS_IT_IS = enum.auto()
    AMAZON = enum.auto()


WantedOrigin: TypeAlias = Origin | int


@dataclass(frozen=True, slots=True)
class InPool:
    """The CIDR is an IPAM pool's."""

    ipam_pool_cidr_id: str
    ipam_pool_id: str
    ipam_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtAlone:
    """The CIDR came without an IPAM, and how."""

    proof: SignedMessage
    requested_at: datetime
    description: str | None
    publicly_advertisable: bool
    """Of IPv6; True of IPv4."""
    pool_id: str | None
    """The public IPv4 pool that is made of it; IPv6 has none."""
    pool_tags: Mapping[str, str] = field(default_factory=dict)
    is_proven: bool = False
    """The account controls it; what is left to do is others' work."""
    failed_at: datetime | None = None
    """When it was found that it will not be provisioned."""
    moved_to: str | None = None
    """The IPAM pool that it goes to, or went to (BYOIP-6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByoipCidr:
    """What is known here of a CIDR that was brought along."""

    byoip_cidr_id: str
    cidr: Cidr
    owner_id: str
    region: str
    """Where it is advertised from."""
    network_border_group: str
    holder: InPool | BroughtAlone
    state: ByoipCidrState
    status_message: str | None = None
    is_advertised: bool = False
    origin_asn: int | None = None
    """The own ASN that it is advertised by; None: Amazon's, if it is advertised."""
    own_origin_since: datetime | None = None
    """When an own ASN last took over from Amazon's."""
    asn_associations: tuple[AsnAssociation, ...] = ()
    version: int = 1
    """Grows with every change."""

    @property
    def alone(self) -> BroughtAlone:
        """How it came without an IPAM.

        Raises:
            TypeError: it is a pool's.
        """
        if not isinstance(self.holder, BroughtAlone):
            raise TypeError(f"{self.cidr} did not come alone: it is a pool's")
        return self.holder

    @property
    def claim(self) -> RangeClaim:
        return RangeClaim(self.cidr, self.owner_id)

    @property
    def is_advertisable(self) -> bool:
        """It was not brought along to be kept from the internet."""
        return not isinstance(self.holder, BroughtAlone) or self.holder.publicly_advertisable

    @property
    def resting_state(self) -> ByoipCidrState:
        """What it is in when it is provisioned and not advertised."""
        if self.is_advertisable:
            return ByoipCidrState.PROVISIONED
        return ByoipCidrState.PROVISIONED_NOT_PUBLICLY_ADVERTISABLE

    @property
    def has_nothing_to_tell(self) -> bool:
        """It is a pool's, and nothing but what the ledger knows is to be said of it."""
        is_quiet = not self.is_advertised and not self.asn_associations
        return isinstance(self.holder, InPool) and is_quiet and self.own_origin_since is None

    @property
    def reason_to_stay(self) -> str | None:
        """What keeps the CIDR from being deprovisioned, and what to do about it (ASN-2)."""
        if self.is_advertised:
            return "it is advertised; withdraw it first"
        staying = [f"AS{one.asn}" for one in self.asn_associations if one.stays]
        if not staying:
            return None
        named, verb = ", ".join(staying), "is" if len(staying) == 1 else "are"
        it = "it" if len(staying) == 1 else "them"
        return f"{named} {verb} associated with it; disassociate {it} first"

    def association(self, asn: int) -> AsnAssociation | None:
        return next((one for one in self.asn_associations if one.asn == asn), None)


def of_pool(public: PublicCidr, byoip_cidr_id: str) -> ByoipCidr:
    """A pool's CIDR before anything is told of it here."""
    return ByoipCidr(
        byoip_cidr_id=byoip_cidr_id,
        cidr=public.cidr,
        owner_id=public.owner_id,
        region=region_of(public.locale),
        network_border_group=public.locale,
        holder=InPool(public.ipam_pool_cidr_id, public.ipam_pool_id, public.ipam_id),
        state=ByoipCidrState.PROVISIONED,
        version=0,
    )


def check_usable(cidr: ByoipCidr) -> None:
    """It is provisioned, whatever else went on or went wrong.

    Raises:
        IncorrectState: it is not yet, not any more, or on its way to a pool.
    """
    if cidr.state in _UNUSABLE:
        raise IncorrectState(
            f"{cidr.cidr} is in state '{cidr.state}'; only what is provisioned can be advertised,"
            " withdrawn, associated or moved",
            cidr=cidr.cidr,
            state=cidr.state,
        )


def advertising(
    cidr: ByoipCidr, wanted: WantedOrigin, warning: str | None, now: datetime
) -> ByoipCidr:
    """``cidr`` on its way to being advertised; ``warning`` is what the RPKI has against it.

    What is not advertised counts as Amazon's: to withdraw it meanwhile saves no time (ASN-3).

    Raises:
        NotAssociated: an own ASN is wanted that may not originate it.
        TooSoon: an own ASN took over less than an hour ago.
    """
    asn = origin_of(cidr, wanted)
    own_origin_since = cidr.own_origin_since
    if asn is not None:
        _check_may_originate(cidr, asn)
        if cidr.origin_asn is None:
            _check_not_too_soon(cidr, asn, now)
            own_origin_since = now
    return replace(
        cidr,
        state=ByoipCidrState.PENDING_ADVERTISING,
        status_message=warning,
        is_advertised=True,
        origin_asn=asn,
        own_origin_since=own_origin_since,
        version=cidr.version + 1,
    )


def origin_of(cidr: ByoipCidr, wanted: WantedOrigin) -> int | None:
    """The own ASN that ``wanted`` means; None: Amazon's."""
    if wanted is Origin.AS_IT_IS:
        return cidr.origin_asn
    return None if wanted is Origin.AMAZON else wanted


def withdrawing(cidr: ByoipCidr) -> ByoipCidr:
    """``cidr`` on its way out of the internet's routes.

    Raises:
        IncorrectState: it is not advertised.
    """
    if not cidr.is_advertised:
        raise IncorrectState(
            f"{cidr.cidr} is in state '{cidr.state}'; only what is advertised can be withdrawn",
            cidr=cidr.cidr,
            state=cidr.state,
        )
    return replace(
        cidr,
        state=ByoipCidrState.PENDING_WITHDRAWAL,
        status_message=None,
        is_advertised=False,
        origin_asn=None,
        version=cidr.version + 1,
    )


def associating(cidr: ByoipCidr, asn: int, warning: str | None) -> ByoipCidr:
    """``cidr`` with one more ASN on its way; ``warning`` is what the RPKI has against that.

    Raises:
        IncorrectState: it has the ASN already.
    """
    found = cidr.association(asn)
    if found:
        raise IncorrectState(
            f"ASN {asn} is associated with {cidr.cidr} already, in state '{found.state}'",
            asn=asn,
            cidr=cidr.cidr,
            state=found.state,
        )
    added = AsnAssociation(asn, AssociationState.PENDING_ASSOCIATION, warning)
    associations = (*cidr.asn_associations, added)
    return replace(cidr, asn_associations=associations, version=cidr.version + 1)


def disassociating(cidr: ByoipCidr, asn: int) -> ByoipCidr:
    """``cidr`` with an ASN on its way out.

    Raises:
        NotAssociated: it has no such ASN.
        DependencyViolation: it is advertised by it.
    """
    found = cidr.association(asn)
    if found is None:
        raise NotAssociated(asn, cidr.cidr)
    if cidr.origin_asn == asn:
        raise DependencyViolation(
            f"{cidr.cidr} is advertised by ASN {asn}; withdraw it, or advertise it by another ASN,"
            " first",
            cidr=cidr.cidr,
            asn=asn,
        )
    leaving = replace(found, state=AssociationState.PENDING_DISASSOCIATION)
    associations = tuple(leaving if one is found else one for one in cidr.asn_associations)
    return replace(cidr, asn_associations=associations, version=cidr.version + 1)


def settled(cidr: ByoipCidr) -> ByoipCidr:
    """``cidr`` once the ledger knows whether it has to stay."""
    match cidr.state:
        case ByoipCidrState.PENDING_ADVERTISING:
            state = ByoipCidrState.ADVERTISED
        case ByoipCidrState.PENDING_WITHDRAWAL:
            state = cidr.resting_state
        case other:
            state = other
    return replace(_with_settled_associations(cidr), state=state)


def kept(cidr: ByoipCidr, state: ByoipCidrState, reason: str) -> ByoipCidr:
    """``cidr`` when somebody had something against its going; it is as usable as before.

    ``state`` says what it is that failed.
    """
    return replace(
        _with_settled_associations(cidr),
        state=state,
        status_message=reason,
        version=cidr.version + 1,
    )


def may_be_forgotten(cidr: ByoipCidr, now: datetime) -> bool:
    """Nothing is to be told of a pool's CIDR, and an own ASN may take over at any time."""
    since = cidr.own_origin_since
    is_recent = since is not None and now - since < BETWEEN_OWN_ORIGINS
    return not is_recent and replace(cidr, own_origin_since=None).has_nothing_to_tell


def _with_settled_associations(cidr: ByoipCidr) -> ByoipCidr:
    """``cidr`` with what its associations were on their way to."""
    staying = [one for one in cidr.asn_associations if one.stays]
    associations = tuple(replace(one, state=AssociationState.ASSOCIATED) for one in staying)
    return replace(cidr, asn_associations=associations)


def _check_may_originate(cidr: ByoipCidr, asn: int) -> None:
    found = cidr.association(asn)
    if found is None or not found.stays:
        raise NotAssociated(asn, cidr.cidr)


def _check_not_too_soon(cidr: ByoipCidr, asn: int, now: datetime) -> None:
    if cidr.own_origin_since and now - cidr.own_origin_since < BETWEEN_OWN_ORIGINS:
        raise TooSoon(cidr.cidr, asn, cidr.own_origin_since + BETWEEN_OWN_ORIGINS)
