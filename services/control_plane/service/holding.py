"""Finding what a caller means, and keeping it still while it is decided upon (ORG-10, BEY-12)."""

from services.control_plane.ipam import Ipam
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope
from services.control_plane.service.rows import Rows
from shared.caller import Caller
from shared.ids import IPAM, IPAM_POOL, IPAM_SCOPE


def hold_ipam(rows: Rows, caller: Caller, ipam_id: str) -> Ipam:
    """The caller's IPAM of this id, locked.

    Raises:
        UnknownId: it is not the caller's, or not in this region.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=True)
    if ipam is None or ipam.ipam_id != ipam_id:
        raise IPAM.unknown(ipam_id)
    return ipam


def known_ipam(rows: Rows, caller: Caller, ipam_id: str) -> Ipam:
    """The caller's IPAM of this id, as it is at this moment.

    Raises:
        UnknownId: it is not the caller's, or not in this region.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=False)
    if ipam is None or ipam.ipam_id != ipam_id:
        raise IPAM.unknown(ipam_id)
    return ipam


def hold_scope(rows: Rows, caller: Caller, ipam_scope_id: str) -> tuple[Ipam, Scope]:
    """The caller's scope of this id and its IPAM, which is locked.

    Raises:
        UnknownId: it is not the caller's, or not in this region.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=True)
    scope = rows.scope(ipam_scope_id)
    if ipam is None or scope is None or scope.ipam_id != ipam.ipam_id:
        raise IPAM_SCOPE.unknown(ipam_scope_id)
    return ipam, scope


def hold_pool(rows: Rows, caller: Caller, ipam_pool_id: str, *, lock: bool = True) -> Pool:
    """The caller's pool of this id; its IPAM is locked.

    Raises:
        UnknownId: it is not the caller's, or its home region is another.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=lock)
    pool = rows.pool(ipam_pool_id)
    if ipam is None or pool is None or pool.ipam_id != ipam.ipam_id:
        raise IPAM_POOL.unknown(ipam_pool_id)
    return pool
