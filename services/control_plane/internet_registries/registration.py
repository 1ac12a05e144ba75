"""Routing policy registrations: who may originate a CIDR, published as ROAs, one for each ASN."""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.control_plane.delegated_rpki.publication import Roa
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterCombination, InvalidParameterValue

NOBODY = 0
"""The ASN of which a ROA says that nobody may originate a CIDR (RFC 7607, RFC 9582)."""
LONGEST = {AddressFamily.IPV4: 32, AddressFamily.IPV6: 48}
"""Longest prefix that a registration may be for, or permit."""
_LARGEST_ASN = (1 << 32) - 1
MOST_ASNS = 100
"""That one registration may name."""


class RegistrationState(enum.StrEnum):
    """AWS's words; what was deleted completely is gone."""

    PENDING_ACTIVATE = "pending-activate"
    ACTIVATE_FAILED = "activate-failed"
    CREATE_IN_PROGRESS = "create-in-progress"
    CREATE_COMPLETE = "create-complete"
    UPDATE_IN_PROGRESS = "update-in-progress"
    UPDATE_COMPLETE = "update-complete"
    DELETE_IN_PROGRESS = "delete-in-progress"


_IN_PROGRESS = {
    RegistrationState.CREATE_IN_PROGRESS: RegistrationState.CREATE_COMPLETE,
    RegistrationState.UPDATE_IN_PROGRESS: RegistrationState.UPDATE_COMPLETE,
}
_NOT_ACTIVE = (RegistrationState.PENDING_ACTIVATE, RegistrationState.ACTIVATE_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """Who may originate a CIDR, and how specifically."""

    cidr: Cidr
    asns: tuple[int, ...]
    """In ascending order, each once; `NOBODY` is alone."""
    permits_more_specific: bool
    max_length: int
    """Of the longest prefix that may be announced."""
    description: str | None = None

    @classmethod
    def of(
        cls,
        cidr: Cidr,
        asns: Collection[int],
        *,
        permits_more_specific: bool = False,
        max_length: int | None = None,
        description: str | None = None,
    ) -> "RoutingPolicy":
        """What is given; ``max_length`` None is the CIDR's own.

        Raises:
            InvalidParameterValue: no ASNs or one twice, ASN 0 beside others, too long a prefix.
            InvalidParameterCombination: parts are let in by length, but not permitted.
        """
        _check_asns(asns)
        longest, own = LONGEST[cidr.family], cidr.prefix_length
        if own > longest:
            raise InvalidParameterValue(
                f"Value ({cidr}) for parameter cidr is invalid; use no prefix longer than"
                f" /{longest}",
                parameter="cidr",
                value=cidr,
            )
        max_length = own if max_length is None else max_length
        if not own <= max_length <= longest:
            raise InvalidParameterValue(
                f"Value ({max_length}) for parameter maxLength is invalid; for {cidr} use"
                f" {own}-{longest}",
                parameter="maxLength",
                value=max_length,
                cidr=cidr,
            )
        if max_length > own and not permits_more_specific:
            raise InvalidParameterCombination(
                f"maxLength {max_length} lets longer prefixes than {cidr} be announced; set"
                " permitMoreSpecificAnnouncements to true with it, or leave it out",
                cidr=cidr,
                max_length=max_length,
            )
        return cls(
            cidr=cidr,
            asns=tuple(sorted(asns)),
            permits_more_specific=permits_more_specific,
            max_length=max_length,
            description=description or None,
        )

    def described(self, description: str | None) -> "RoutingPolicy":
        """The same, described so."""
        return replace(self, description=description)

    @property
    def roas(self) -> frozenset[Roa]:
        """What is published of it."""
        return frozenset(Roa(self.cidr, asn, self.max_length) for asn in self.asns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A policy of an association, and how far it is published."""

    policy: RoutingPolicy
    state: RegistrationState
    latest_delta_id: str | None
    """None: it was staged for ROAs that there were before."""
    before: "Registration | None" = None
    """What it was when nothing was in progress; None: it was not there."""

    @property
    def is_going(self) -> bool:
        return self.state is RegistrationState.DELETE_IN_PROGRESS

    @property
    def settled(self) -> "Registration | None":
        """What it was before all that is in progress; None: it was not there."""
        return self.before if self.is_going or self.state in _IN_PROGRESS else self


def parse_asn(text: str, *, parameter: str = "asns") -> int:
    """Read an ASN that ROAs may name.

    Raises:
        InvalidParameterValue: it is not written as one.
    """
    is_decimal = text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0"))
    if not is_decimal or len(text) > 10 or int(text) > _LARGEST_ASN:
        raise InvalidParameterValue(
            f"Value ({text[:20]}) for parameter {parameter} is invalid; write ASNs as decimal"
            f" digits, 0-{_LARGEST_ASN}, such as '64496'",
            parameter=parameter,
            value=text[:20],
        )
    return int(text)


def registering(
    policy: RoutingPolicy, delta_id: str | None, known: Registration | None
) -> Registration:
    """What becomes of ``known``, which may be going, when a delta wants this policy published."""
    before = known.settled if known else None
    is_published = before is not None and before.state not in _NOT_ACTIVE
    return Registration(
        policy=policy,
        state=RegistrationState.UPDATE_IN_PROGRESS
        if is_published
        else RegistrationState.CREATE_IN_PROGRESS,
        latest_delta_id=delta_id,
        before=before,
    )


def withdrawing(known: Registration, delta_id: str) -> Registration:
    """``known`` on its way out."""
    return Registration(
        policy=known.policy,
        state=RegistrationState.DELETE_IN_PROGRESS,
        latest_delta_id=delta_id,
        before=known.settled,
    )


def staged(policy: RoutingPolicy, delta_id: str | None) -> Registration:
    """It waits for its association to be enabled."""
    return Registration(
        policy=policy, state=RegistrationState.PENDING_ACTIVATE, latest_delta_id=delta_id
    )


def completed(registration: Registration, *, is_certified: bool) -> Registration | None:
    """``registration`` once all is published that can be; None: it is gone.

    What the registry does not certify fails to be active, until it certifies it again.
    """
    if registration.is_going:
        return None
    state = _IN_PROGRESS.get(registration.state, registration.state)
    if not is_certified:
        state = RegistrationState.ACTIVATE_FAILED
    elif state in _NOT_ACTIVE:
        state = RegistrationState.CREATE_COMPLETE
    return replace(registration, state=state, before=None)


def roas_of(registrations: Collection[Registration]) -> frozenset[Roa]:
    """What is to be published of them."""
    staying = (one.policy.roas for one in registrations if not one.is_going)
    return frozenset().union(*staying)


def all_roas_of(registrations: Collection[Registration]) -> frozenset[Roa]:
    """What is, was or will be published of them, as far as that is told here."""
    formers = (one.before for one in registrations)
    policies = [one.policy for one in (*registrations, *formers) if one]
    return frozenset().union(*(policy.roas for policy in policies))


def _check_asns(asns: Collection[int]) -> None:
    numbers: Sequence[int] = sorted(asns)
    if not numbers:
        raise InvalidParameterValue(
            "The parameter asns is empty; name at least one ASN, or 0 for nobody",
            parameter="asns",
        )
    if len(numbers) > MOST_ASNS:
        raise InvalidParameterValue(
            f"{len(numbers)} values for parameter asns; at most {MOST_ASNS} are allowed",
            parameter="asns",
            count=len(numbers),
        )
    twice = next((one for one, other in pairwise(numbers) if one == other), None)
    if twice is not None:
        raise InvalidParameterValue(
            f"Value ({twice}) for parameter asns is invalid; name each ASN once",
            parameter="asns",
            value=twice,
        )
    if NOBODY in numbers and len(numbers) > 1:
        raise InvalidParameterValue(
            "Value (0) for parameter asns is invalid; 0 means that nobody may originate the CIDR,"
            " so name it alone",
            parameter="asns",
            value=0,
        )
