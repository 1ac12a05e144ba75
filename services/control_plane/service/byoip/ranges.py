"""Ranges that come without an IPAM."""

from services.control_plane.byoip import new_range as rules
from services.control_plane.byoip.byoip_cidr import ByoipCidr, ByoipCidrState
from services.control_plane.byoip.errors import UnknownByoipCidr
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.cidr import Cidr


def provision_range(rows: Rows, wanted: ByoipCidr) -> Accepted[ByoipCidr]:
    """Bring a range along, to be verified from now on (BYOIP-1).

    Raises:
        InvalidParameterValue: its owner has brought it along already.
        ConcurrentModification: just now.
    """
    existing = rows.byoip.range_of(wanted.owner_id, wanted.cidr, lock=True)
    rules.check_may_be_brought(existing)
    if existing:
        rows.byoip.remove_cidr(existing.byoip_cidr_id)
    rows.byoip.save_cidr(wanted)
    return Accepted(wanted)


def deprovision_range(rows: Rows, caller: Caller, cidr: Cidr) -> Accepted[ByoipCidr]:
    """Take a range away, from wherever it got to.

    Raises:
        UnknownByoipCidr: the caller brought no such range to this region, or moved it to a pool.
        IncorrectState: it is advertised, associated with an ASN, or on its way to a pool.
    """
    found = rows.byoip.range_of(caller.account_id, cidr, lock=True)
    is_gone = found is None or found.state is ByoipCidrState.COMPLETE_TRANSFER
    if found is None or is_gone or found.region != caller.region:
        raise UnknownByoipCidr(cidr, caller.region)
    if found.state is ByoipCidrState.PENDING_DEPROVISION:
        return Accepted(found)
    leaving = rules.deprovisioning(found)
    rows.byoip.save_cidr(leaving)
    step = NextStep(StepKind.REMOVE_BYOIP_CIDR, leaving.byoip_cidr_id, leaving.version)
    return Accepted(leaving, (step,))
