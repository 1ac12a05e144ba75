"""Whether the change feed tells of every version of a pool."""

from collections.abc import Iterable

from services.allocation.audit.finding import Finding, FindingKind
from services.allocation.audit.records import PoolRecord

SETTLED = "the pool gets a new version, so that every replica reads it anew"


def feed_finding(pool: PoolRecord, noted: Iterable[tuple[int, bool]]) -> Finding | None:
    """The first gap in what is noted of a pool, unless a repair settled it.

    ``noted`` is the versions in order, each with whether it is such a repair: what is missing
    before that is known, and nobody will ever need it again.
    """
    missing, reached = None, 0
    for version, is_settling in noted:
        if is_settling:
            missing = None
        elif version != reached + 1 and missing is None:
            missing = (reached + 1, version - 1)
        reached = version
    if reached < pool.version and missing is None:
        missing = (reached + 1, pool.version)
    if missing is None and reached <= pool.version:
        return None
    told = f"the change feed reaches version {reached}"
    if missing:
        told = f"the change feed lacks version {' to '.join(map(str, dict.fromkeys(missing)))}"
    message = f"'{pool.ipam_pool_id}' is at version {pool.version}; {told}"
    return Finding(
        FindingKind.CHANGE_FEED_GAP,
        pool.ipam_pool_id,
        message,
        (pool.ipam_pool_id,),
        ("",),
        SETTLED,
    )
