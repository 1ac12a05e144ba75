"""What of an address space is taken by top-level pools (PROV-1, PROV-6, VPC-3)."""

from services.allocation.definition import AMAZON_SPACES
from services.allocation.errors import CidrTaken, RangeTaken
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service.rows import Rows
from shared.cidr import Cidr


def check_free_in_space(rows: Rows, space_id: str, cidr: Cidr, owner_id: str) -> None:
    """Refuse what overlaps a CIDR of another top-level pool, or of the same one.

    Raises:
        CidrTaken: telling by whom as far as ``owner_id``, who wants it, may know that (BEY-12).
    """
    for other in rows.top_level_cidrs(space_id, cidr):
        if other.ipam_pool_id in AMAZON_SPACES.values():
            raise RangeTaken(cidr, "Amazon")
        own = _own_holder(rows, other, owner_id)
        raise CidrTaken(cidr, other.cidr, own) if own else RangeTaken(cidr, "another account")


def _own_holder(rows: Rows, other: PoolCidr, owner_id: str) -> str | None:
    """Which of the account's own things has the CIDR, if one has."""
    if other.brought_by:
        owner, region = other.brought_by
        return f"'{owner}' without an IPAM in {region}" if owner == owner_id else None
    is_own = rows.owner_of(other.ipam_pool_id) == owner_id
    return f"'{other.ipam_pool_id}' of the same scope" if is_own else None
