"""Refusals only routing policy registrations give."""

from collections.abc import Sequence

from shared.cidr import Cidr
from shared.errors import (
    AlreadyExists,
    Conflict,
    IncorrectState,
    InvalidParameterValue,
    NotFound,
    OperationNotPermitted,
    QuotaExceeded,
)

NAMED_AT_MOST = 3


class UnknownRegistration(NotFound):
    """The association has no registration of a CIDR."""

    reason = "InvalidIpamRoutingPolicyRegistration.NotFound"

    def __init__(self, association_id: str, cidr: Cidr) -> None:
        super().__init__(
            f"'{association_id}' has no routing policy registration of {cidr}; list what it has"
            " with GetIpamRoutingPolicyRegistrations",
            association_id=association_id,
            cidr=cidr,
        )


class RegistrationAlreadyExists(AlreadyExists):
    """The association has a registration of a CIDR already."""

    reason = "IpamRoutingPolicyRegistrationAlreadyExists"

    def __init__(self, association_id: str, cidr: Cidr) -> None:
        super().__init__(
            f"'{association_id}' has a routing policy registration of {cidr} already; modify it"
            " (ModifyIpamRoutingPolicyRegistration), or have the delta delete and add it",
            association_id=association_id,
            cidr=cidr,
        )


class RegistrationLimitExceeded(QuotaExceeded):
    """The association would have more registrations than it may have."""

    def __init__(self, association_id: str, count: int, quota: int) -> None:
        super().__init__(
            "IpamRoutingPolicyRegistrationLimitExceeded",
            f"'{association_id}' would have {count} routing policy registrations; at most {quota}"
            " are allowed",
            quota=quota,
            count=count,
            association_id=association_id,
        )


class UnknownDelta(NotFound):
    """The association has no such delta."""

    reason = "InvalidIpamRoutingPolicyRegistrationDeltaId.NotFound"

    def __init__(self, association_id: str, delta_id: str) -> None:
        super().__init__(
            f"'{association_id}' has no delta '{delta_id}'",
            association_id=association_id,
            delta_id=delta_id,
        )


class NotCertified(InvalidParameterValue):
    """The registry does not certify what is to be registered, so there could be no ROA."""

    def __init__(self, association_id: str, cidrs: Sequence[Cidr]) -> None:
        named = _first_of([str(cidr) for cidr in cidrs])
        super().__init__(
            f"Value ({named}) for parameter cidr is invalid; the internet registry does not certify"
            f" it for '{association_id}'; use parts of what GetIpamInternetRegistryAssociationCidrs"
            " lists",
            parameter="cidr",
            value=named,
            association_id=association_id,
        )


class RoutesWouldSuffer(OperationNotPermitted):
    """Routes that are announced now would be invalid, or have no ROA any more."""

    def __init__(self, effects: Sequence[str]) -> None:
        """``effects`` says of each route what would become of it."""
        named = _first_of(effects)
        super().__init__(
            f"Announced routes would suffer: {named}; repeat with Force to do it all the same",
            routes=named,
        )


class TooManyRoutes(OperationNotPermitted):
    """More routes are announced than can be looked at for one change."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"More than {most} announced routes lie in the CIDRs of this change, too many to say"
            " what becomes of them; change fewer or smaller CIDRs at once, or repeat with Force",
            most=most,
        )


class NotForRegistrations(IncorrectState):
    """The association is in a state that allows no changes of registrations."""

    def __init__(self, association_id: str, state: str) -> None:
        super().__init__(
            f"'{association_id}' is in state '{state}'; registrations can be changed while it is"
            " enabled, and before that from 'pending-enable' on",
            association_id=association_id,
            state=state,
        )


class PublishedMeanwhile(Conflict):
    """Somebody else published what an association wants, which is to be looked at anew."""

    reason = "ConcurrentModification"

    def __init__(self, association_id: str) -> None:
        super().__init__(
            f"ROAs of '{association_id}' were published meanwhile; repeat it",
            association_id=association_id,
        )


def _first_of(named: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(named) - NAMED_AT_MOST
    shown = ", ".join(named[:NAMED_AT_MOST])
    return f"{shown} and {more} more" if more > 0 else shown
