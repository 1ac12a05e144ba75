"""What of a pool nobody has, and nobody can have (IPAM-6, BEY-3, BEY-8, BEY-9)."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.allocation.pool_cidr import CidrState
from services.allocation.service.view import View, address_key
from services.allocation.set_aside import SetAsideReason
from shared.cidr import Cidr


class Reason(StrEnum):
    """Why it can't be allocated."""

    HOLD = "hold"
    COOL_DOWN = "cool-down"
    EXCLUDED = "excluded"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """``until`` and ``ipam_pool_hold_id`` only where the reason has such."""

    cidr: Cidr
    reason: Reason
    until: datetime | None = None
    ipam_pool_hold_id: str | None = None


def unavailable(
    view: View, ipam_pool_id: str, now: datetime, after: str | None
) -> Iterator[tuple[str, Unavailable]]:
    """In order of address; of one CIDR first what is set aside, which is one thing at most."""
    address, _, _ = (after or "").rpartition(".")
    merged = heapq.merge(
        _set_aside(view, ipam_pool_id, now, address or None), _kept_off(view, ipam_pool_id)
    )
    return ((key, found) for key, _, found in merged if after is None or key > after)


_Keyed = tuple[str, Reason, Unavailable]


def _set_aside(view: View, ipam_pool_id: str, now: datetime, after: str | None) -> Iterator[_Keyed]:
    for key, found in view.set_asides(ipam_pool_id, after):
        if found.until > now:
            is_hold = found.reason is SetAsideReason.HOLD
            reason = Reason.HOLD if is_hold else Reason.COOL_DOWN
            hold_id = found.set_aside_id if is_hold else None
            yield f"{key}.0", reason, Unavailable(found.cidr, reason, found.until, hold_id)


def _kept_off(view: View, ipam_pool_id: str) -> list[_Keyed]:
    placement = view.placement(ipam_pool_id)
    roots = [
        found.cidr
        for _, found in view.pool_cidrs(ipam_pool_id, None)
        if found.state is CidrState.PROVISIONED
    ]
    excluded = {cidr for cidr in placement.excluded if any(map(cidr.overlaps, roots))}
    observed: set[Cidr] = set()
    if placement.avoids_observed:
        seen = view.observed(ipam_pool_id)
        observed = {cidr for root in roots for cidr in seen.overlapping(root)}
    return sorted(
        [*_for_reason(excluded, Reason.EXCLUDED, "1"), *_for_reason(observed, Reason.OBSERVED, "2")]
    )


def _for_reason(cidrs: Iterable[Cidr], reason: Reason, rank: str) -> Iterator[_Keyed]:
    return ((f"{address_key(cidr)}.{rank}", reason, Unavailable(cidr, reason)) for cidr in cidrs)
