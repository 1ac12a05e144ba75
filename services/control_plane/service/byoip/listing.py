"""What accounts see of public space that was brought along."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.control_plane.byoip.byoasn import LISTED_FOR, Byoasn
from services.control_plane.byoip.byoip_cidr import ByoipCidr, of_pool
from services.control_plane.byoip.new_range import is_told
from services.control_plane.byoip.public_cidr import PublicCidr
from services.control_plane.service.byoip.holding import seen_by
from services.control_plane.service.rows import Rows
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidNextToken, InvalidParameterValue


@dataclass(frozen=True, slots=True)
class SeenCidr:
    """A CIDR as `DescribeByoipCidrs` tells it."""

    cidr: ByoipCidr
    is_advertisable: bool


def visible_byoasns(
    rows: Rows, caller: Caller, after: str | None, now: datetime
) -> Iterator[tuple[str, Byoasn]]:
    """The caller's in this region, each with its key; those that ended for a week (ASN-1)."""
    return rows.byoip.visible_byoasns(caller, ended_after=now - LISTED_FOR, after=after)


def visible_cidrs(
    rows: Rows, caller: Caller, found: Collection[PublicCidr], after: str | None, now: datetime
) -> Iterator[tuple[str, SeenCidr]]:
    """What the caller brought along, and CIDRs of pools that were, each with its key (BYOIP-4).

    In order of address, and each CIDR once; what failed is told for a week. ``found`` is what the
    ledger told.
    """
    last = _cidr_of(after)
    seen = {one.cidr.cidr: one for one in _of_pools(rows, caller, found)}
    for cidr in rows.byoip.ranges_in(caller.account_id, caller.region):
        if is_told(cidr, now):
            # What failed may have come to a pool since.
            seen.setdefault(cidr.cidr, SeenCidr(cidr, cidr.is_advertisable))
    for cidr_seen in sorted(seen):
        if last is None or last < cidr_seen:
            yield str(cidr_seen), seen[cidr_seen]


def _of_pools(rows: Rows, caller: Caller, found: Collection[PublicCidr]) -> Iterator[SeenCidr]:
    brought = [one for one in seen_by(rows, caller, found) if one.is_brought_for_ec2]
    told = rows.byoip.cidrs_of_pools([one.ipam_pool_cidr_id for one in brought])
    for public in brought:
        cidr = told.get(public.ipam_pool_cidr_id) or of_pool(public, "")
        yield SeenCidr(cidr, public.is_advertisable)


def _cidr_of(key: str | None) -> Cidr | None:
    if key is None:
        return None
    try:
        return Cidr.parse(key)
    except InvalidParameterValue:
        raise InvalidNextToken from None
