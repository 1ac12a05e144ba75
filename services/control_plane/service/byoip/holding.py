"""Finding the CIDR that a caller means, and keeping it still while it is decided upon."""

from collections.abc import Collection

from services.control_plane.byoip.byoip_cidr import (
    BYOIP_CIDR,
    ByoipCidr,
    ByoipCidrState,
    check_usable,
    of_pool,
)
from services.control_plane.byoip.errors import UnknownByoipCidr
from services.control_plane.byoip.new_range import check_advertisable
from services.control_plane.byoip.public_cidr import (
    PublicCidr,
    check_may_be_advertised,
    nearest_top,
)
from services.control_plane.regions import NO_LOCALE
from services.control_plane.service.internet_registries.brought_along import note_change
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue
from shared.regions import region_of


def regions_seen(rows: Rows, caller: Caller) -> list[str]:
    """Where CIDRs lie that the caller may mean in its region.

    That is there, and in the home region of its IPAM wherever that works: the guide has ASNs
    brought there, and CIDRs advertised in the region they are in.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=False)
    return list(dict.fromkeys([caller.region, *(ipam.operating_regions if ipam else ())]))


def seen_by(rows: Rows, caller: Caller, found: Collection[PublicCidr]) -> list[PublicCidr]:
    """Of what the ledger told of `regions_seen`, what the caller may mean, in order of address.

    Elsewhere than in its region that is its own IPAM's alone. Each CIDR once.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=False)
    pools = (rows.pool(pool_id) for pool_id in {public.ipam_pool_id for public in found})
    depths = {
        pool.ipam_pool_id: pool.depth
        for pool in pools
        if pool
        and (
            region_of(pool.locale) in (caller.region, NO_LOCALE)
            or (ipam and pool.ipam_id == ipam.ipam_id)
        )
    }
    return nearest_top(found, depths)


def pool_cidr(
    rows: Rows, caller: Caller, cidr: Cidr, found: Collection[PublicCidr]
) -> PublicCidr | None:
    """The pool's CIDR that the caller means; None: what it brought along without an IPAM.

    Raises:
        UnknownByoipCidr: it is neither.
        OperationNotPermitted: it can't be advertised, or not by the caller.
    """
    for public in seen_by(rows, caller, found):
        if public.cidr == cidr:
            check_may_be_advertised(public, caller.account_id)
            return public
    check_has_range(caller, cidr, rows.byoip.range_of(caller.account_id, cidr, lock=False))
    return None


def hold_cidr(rows: Rows, caller: Caller, cidr: Cidr, found: Collection[PublicCidr]) -> ByoipCidr:
    """The CIDR that the caller means, locked, and as it is now; ``found`` is the ledger's part.

    Raises:
        UnknownByoipCidr: there is none.
        OperationNotPermitted: it can't be advertised, or not by the caller.
        IncorrectState: it is not provisioned, or not any more.
    """
    public = pool_cidr(rows, caller, cidr, found)
    if public is None:
        return hold_range(rows, caller, cidr)
    if rows.ipam(public.ipam_id, lock=True) is None:
        raise UnknownByoipCidr(cidr, caller.region)
    held = rows.byoip.cidr_of_pool(public.ipam_pool_cidr_id, lock=True)
    return held or of_pool(public, BYOIP_CIDR.new())


def hold_range(rows: Rows, caller: Caller, cidr: Cidr) -> ByoipCidr:
    """The usable range that the caller brought to this region without an IPAM, locked.

    Raises:
        UnknownByoipCidr: there is none.
        OperationNotPermitted: it can't be advertised.
        IncorrectState: it is not provisioned, or on its way to a pool.
    """
    held = rows.byoip.range_of(caller.account_id, cidr, lock=True)
    held = check_has_range(caller, cidr, held)
    check_usable(held)
    check_advertisable(held)
    return held


def check_has_range(caller: Caller, cidr: Cidr, found: ByoipCidr | None) -> ByoipCidr:
    """``found`` itself, if it is in the caller's region and was not moved to a pool.

    Raises:
        UnknownByoipCidr: it isn't.
    """
    is_moved = found is not None and found.state is ByoipCidrState.COMPLETE_TRANSFER
    if found is None or is_moved or found.region != caller.region:
        raise UnknownByoipCidr(cidr, caller.region)
    return found


def settling(rows: Rows, cidr: ByoipCidr) -> Accepted[ByoipCidr]:
    """Save what changed about a CIDR; steps tell the ledger whether it has to stay, and make ROAs.

    These come first, so that a route is valid when it is announced.
    """
    rows.byoip.save_cidr(cidr)
    return Accepted(cidr, (*note_change(rows, cidr), settling_step(cidr)))


def settling_step(cidr: ByoipCidr) -> NextStep:
    """The step that completes what was done to it."""
    return NextStep(StepKind.SETTLE_BYOIP_CIDR, cidr.byoip_cidr_id, cidr.version)


def check_border_group(cidr: ByoipCidr, group: str | None) -> None:
    """A border group that is named is the one that the CIDR is in.

    Raises:
        InvalidParameterValue: it is another.
    """
    if group and group != cidr.network_border_group:
        raise InvalidParameterValue(
            f"Value ({group}) for parameter networkBorderGroup is invalid; {cidr.cidr} is in"
            f" '{cidr.network_border_group}'",
            parameter="networkBorderGroup",
            value=group,
            cidr=cidr.cidr,
        )
