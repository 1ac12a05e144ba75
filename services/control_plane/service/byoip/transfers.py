"""Moving ranges that came without an IPAM to pools (BYOIP-6)."""

from services.control_plane.byoip import transfer as rules
from services.control_plane.byoip.byoip_cidr import ByoipCidr, ByoipCidrState
from services.control_plane.byoip.errors import UnknownByoipCidr
from services.control_plane.lifecycle import check_usable
from services.control_plane.pool import Pool
from services.control_plane.service.grants import may_import
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import IncorrectState, OperationNotPermitted
from shared.ids import IPAM_POOL

_UNDER_WAY = (ByoipCidrState.PENDING_TRANSFER, ByoipCidrState.COMPLETE_TRANSFER)


def move_to_ipam(
    rows: Rows, caller: Caller, cidr: Cidr, ipam_pool_id: str, ipam_pool_owner: str
) -> Accepted[ByoipCidr]:
    """Move a range of the caller's to a pool; asked again, it tells how far that got.

    Raises:
        UnknownByoipCidr: the caller brought no such range to this region.
        UnknownId: the pool is not that owner's, or hidden from the caller.
        OperationNotPermitted: the caller may not import to the pool.
        InvalidParameterValue: the range is IPv6, or the pool not one that takes it.
        IncorrectState: the range is not provisioned, or moves to another pool.
    """
    rules.check_moves(cidr)
    found = rows.byoip.range_of(caller.account_id, cidr, lock=True)
    if found is None or found.region != caller.region:
        raise UnknownByoipCidr(cidr, caller.region)
    if found.state in _UNDER_WAY:
        rules.check_same_pool(found, ipam_pool_id)
        return Accepted(found)
    pool = _pool_to_import_to(rows, caller, ipam_pool_id, ipam_pool_owner)
    rules.check_takes(pool, found)
    check_usable(ipam_pool_id, pool.state)
    _check_asns(rows, found, pool)
    moving = rules.moving(found, ipam_pool_id)
    rows.byoip.save_cidr(moving)
    step = NextStep(StepKind.MOVE_BYOIP_CIDR, moving.byoip_cidr_id, moving.version)
    return Accepted(moving, (step,))


def _check_asns(rows: Rows, moving: ByoipCidr, pool: Pool) -> None:
    """The pool's owner is to have no say over ASNs of others, nor they be held by its CIDR (ASN-2).

    Raises:
        IncorrectState: the range is associated with an ASN that is not of the pool's IPAM.
    """
    holders = {one.asn: rows.byoip.holder_of(one.asn) for one in moving.asn_associations}
    others = [
        f"AS{asn}"
        for asn, holder in holders.items()
        if holder is None or holder.ipam_id != pool.ipam_id
    ]
    if others:
        raise IncorrectState(
            f"{moving.cidr} is associated with {', '.join(others)}, not provisioned to"
            f" '{pool.ipam_id}'; disassociate before moving it there",
            cidr=moving.cidr,
            ipam_id=pool.ipam_id,
        )


def _pool_to_import_to(rows: Rows, caller: Caller, ipam_pool_id: str, owner_id: str) -> Pool:
    pool = rows.pool(ipam_pool_id)
    ipam = rows.ipam(pool.ipam_id, lock=False) if pool else None
    if pool is None or ipam is None or pool.owner_id != owner_id:
        raise IPAM_POOL.unknown(ipam_pool_id)
    if pool.owner_id == caller.account_id or may_import(
        rows, ipam, ipam_pool_id, caller.account_id
    ):
        return pool
    if ipam_pool_id not in rows.shares.pools_for(caller.account_id):
        # Nothing that the caller could know of.
        raise IPAM_POOL.unknown(ipam_pool_id)
    raise OperationNotPermitted(
        f"'{ipam_pool_id}' is shared with account {caller.account_id}, but not to import CIDRs to"
        " it; have its owner share it with the permission"
        " AWSRAMPermissionIpamPoolByoipCidrImport",
        ipam_pool_id=ipam_pool_id,
        account_id=caller.account_id,
    )
