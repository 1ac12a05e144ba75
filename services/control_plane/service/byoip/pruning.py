"""Removing what is told no more."""

from datetime import datetime

from services.control_plane.byoip.byoasn import LISTED_FOR
from services.control_plane.byoip.byoip_cidr import may_be_forgotten
from services.control_plane.service.rows import Rows


def prune(rows: Rows, now: datetime) -> None:
    """Remove what ended a week ago (ASN-1), and what was kept for the sake of the hour rule.

    The latter is CIDRs of pools that an own ASN took over not long ago (ASN-3).
    """
    rows.byoip.prune_byoasns(now - LISTED_FOR)
    rows.byoip.prune_failed_ranges(now - LISTED_FOR)
    for found in rows.byoip.rested_cidrs():
        held = rows.byoip.cidr(found.byoip_cidr_id, lock=True)
        if held and may_be_forgotten(held, now):
            rows.byoip.remove_cidr(held.byoip_cidr_id)
