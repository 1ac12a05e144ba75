"""What of an address space is taken by top-level pools (PROV-1, PROV-6, VPC-3)."""

from services.allocation.definition import AMAZON_SPACES
from services.allocation.errors import CidrTaken
from services.allocation.pool_cidr import PoolCidr
from services.allocation.service.rows import Rows
from shared.cidr import Cidr


def check_free_in_space(rows: Rows, space_id: str, cidr: Cidr, owner_id: str) -> None:
    """Refuse what overlaps a CIDR of another top-level pool, or of the same one.

    Raises:
        CidrTaken: telling by whom as far as ``owner_id``, who wants it, may know that (BEY-12).
    """
    for other in rows.top_level_cidrs(space_id, cidr):
        raise CidrTaken(cidr, other.cidr, _holder(rows, other, owner_id))


def _holder(rows: Rows, other: PoolCidr, owner_id: str) -> str:
    if other.ipam_pool_id in AMAZON_SPACES.values():
        return "Amazon"
    if other.brought_by:
        owner, region = other.brought_by
        is_own, own = owner == owner_id, f"'{owner}' without an IPAM in {region}"
    else:
        is_own = rows.owner_of(other.ipam_pool_id) == owner_id
        own = f"'{other.ipam_pool_id}' of the same scope"
    return own if is_own else "another account"
