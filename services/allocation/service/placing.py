"""How a pool places what is asked of it (BEY-9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.allocation.changes import Decision, PlacementChanged
from services.allocation.errors import TooManyExcludedCidrs
from services.allocation.placement import EXCLUDED_QUOTA, Placement, Strategy
from services.allocation.pool import Pool
from services.allocation.service.rows import Rows
from services.allocation.service.visibility import managed_pool
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidParameterValue


@dataclass(frozen=True, slots=True)
class PlacementChange:
    """What to change; what is None stays.

    ``clears_cool_down``: released space rests as long as the installation says.
    """

    strategy: Strategy | None = None
    add_excluded: Sequence[Cidr] = ()
    remove_excluded: Sequence[Cidr] = ()
    avoids_observed: bool | None = None
    cool_down: timedelta | None = None
    clears_cool_down: bool = False


def change_placement(
    rows: Rows, caller: Caller, ipam_pool_id: str, change: PlacementChange
) -> Decision[Placement]:
    """Place otherwise from now on; what is allocated stays where it is."""
    pool = managed_pool(rows, caller, ipam_pool_id)
    before = pool.placement
    after = Placement(
        strategy=change.strategy or before.strategy,
        excluded=_excluded(pool, change),
        avoids_observed=(
            before.avoids_observed if change.avoids_observed is None else change.avoids_observed
        ),
        cool_down=None if change.clears_cool_down else _given(change.cool_down, before.cool_down),
    )
    changes = (PlacementChanged(ipam_pool_id, after),) if after != before else ()
    return Decision(after, changes)


def _excluded(pool: Pool, change: PlacementChange) -> tuple[Cidr, ...]:
    for cidr in change.add_excluded:
        pool.check_family(cidr)
    excluded = set(pool.placement.excluded)
    for cidr in change.remove_excluded:
        if cidr not in excluded:
            present = ", ".join(map(str, sorted(excluded))) or "nothing"
            raise InvalidParameterValue(
                f"Value ({cidr}) for parameter removeExcludedCidrs is invalid;"
                f" '{pool.ipam_pool_id}' excludes {present}",
                parameter="removeExcludedCidrs",
                value=cidr,
            )
    excluded = excluded - set(change.remove_excluded) | set(change.add_excluded)
    if len(excluded) > EXCLUDED_QUOTA:
        raise TooManyExcludedCidrs(pool.ipam_pool_id, len(excluded), EXCLUDED_QUOTA)
    return tuple(sorted(excluded))


def _given(value: timedelta | None, otherwise: timedelta | None) -> timedelta | None:
    return otherwise if value is None else value
