"""Ranges that come without an IPAM."""

from datetime import datetime

from services.control_plane.byoip import new_range as rules
from services.control_plane.byoip.byoip_cidr import ByoipCidr, ByoipCidrState
from services.control_plane.byoip.errors import ByoipCidrLimitExceeded
from services.control_plane.quotas import Quotas
from services.control_plane.service.byoip.holding import check_has_range
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.cidr import Cidr


def provision_range(
    rows: Rows, wanted: ByoipCidr, quotas: Quotas, now: datetime
) -> Accepted[ByoipCidr]:
    """Bring a range along, to be verified from now on (BYOIP-1).

    Raises:
        InvalidParameterValue: its owner has brought it along already.
        ByoipCidrLimitExceeded: it has as many ranges in the region as it may have.
    """
    # Or two of its requests at this moment would count without one another.
    rows.identity.hold(wanted.owner_id)
    existing = rows.byoip.range_of(wanted.owner_id, wanted.cidr, lock=True)
    rules.check_may_be_brought(existing)
    if existing:
        rows.byoip.remove_cidr(existing.byoip_cidr_id)
    _check_quota(rows, wanted, quotas, now)
    rows.byoip.save_cidr(wanted)
    return Accepted(wanted)


def deprovision_range(rows: Rows, caller: Caller, cidr: Cidr) -> Accepted[ByoipCidr]:
    """Take a range away, from wherever it got to.

    Raises:
        UnknownByoipCidr: the caller brought no such range to this region, or moved it to a pool.
        IncorrectState: it is advertised, associated with an ASN, or on its way to a pool.
    """
    found = rows.byoip.range_of(caller.account_id, cidr, lock=True)
    found = check_has_range(caller, cidr, found)
    if found.state is ByoipCidrState.PENDING_DEPROVISION:
        return Accepted(found)
    leaving = rules.deprovisioning(found)
    rows.byoip.save_cidr(leaving)
    step = NextStep(StepKind.REMOVE_BYOIP_CIDR, leaving.byoip_cidr_id, leaving.version)
    return Accepted(leaving, (step,))


def _check_quota(rows: Rows, wanted: ByoipCidr, quotas: Quotas, now: datetime) -> None:
    owner_id, region = wanted.owner_id, wanted.region
    count = sum(rules.is_told(one, now) for one in rows.byoip.ranges_in(owner_id, region))
    quota = quotas.byoip_ranges_per_region.of(owner_id)
    if count >= quota:
        raise ByoipCidrLimitExceeded(owner_id, region, count, quota)
