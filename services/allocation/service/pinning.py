"""Keeping CIDRs from being deprovisioned while something outside of the ledger needs them."""

from services.allocation.changes import Decision, PinChanged
from services.allocation.service.rows import Rows
from shared.ids import IPAM_POOL_CIDR


def pin(rows: Rows, ipam_pool_id: str, ipam_pool_cidr_id: str, reason: str) -> Decision[None]:
    """Have whoever wants to deprovision a CIDR be told the reason instead (BYOIP-4, ASN-2)."""
    if not _is_there(rows, ipam_pool_id, ipam_pool_cidr_id):
        raise IPAM_POOL_CIDR.unknown(ipam_pool_cidr_id)
    return Decision(None, (PinChanged(ipam_pool_cidr_id, reason),))


def unpin(rows: Rows, ipam_pool_id: str, ipam_pool_cidr_id: str) -> Decision[None]:
    """Let a CIDR go again."""
    is_there = _is_there(rows, ipam_pool_id, ipam_pool_cidr_id)
    return Decision(None, (PinChanged(ipam_pool_cidr_id, None),) if is_there else ())


def _is_there(rows: Rows, ipam_pool_id: str, ipam_pool_cidr_id: str) -> bool:
    pool = rows.pool(ipam_pool_id)
    return pool is not None and any(
        found.ipam_pool_cidr_id == ipam_pool_cidr_id for found in pool.pool_cidrs
    )
