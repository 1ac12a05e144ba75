"""Bringing the system's own pools to what the configuration says, whenever a service starts."""

from collections.abc import Mapping, Sequence
from functools import partial

from services.allocation.changes import (
    Change,
    Decision,
    Defined,
    Deprovisioned,
    MadeAvailable,
    Provisioned,
)
from services.allocation.definition import PUBLIC_SPACE, PoolDefinition
from services.allocation.pool import Pool
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.service.command import Command, Writer, pools
from services.allocation.service.rows import Rows
from services.allocation.service.view import Reader, View
from services.allocation.system_pools import system_pools
from shared.cidr import Cidr
from shared.ids import IPAM_POOL_CIDR


async def adjust_system_pools(
    writer: Writer, reader: Reader, ranges: Mapping[str, Sequence[Cidr]]
) -> Sequence[str]:
    """Make them, and give each of those in ``ranges`` the CIDRs there. Idempotent.

    What it tells can't be adjusted: ranges in use, which stay, and those taken by others.
    """
    for definition in await reader.read(_unknown):
        command = Command(partial(_define, definition), pools=pools(definition.ipam_pool_id))
        await writer.carry_out(command)
    left: list[str] = []
    # Looked at first, so that nearly every start only reads.
    for pool_id, wanted in (await reader.read(partial(_unlike, ranges))).items():
        adjusting = Command(
            partial(_adjust, pool_id, wanted),
            pools=pools(pool_id),
            scopes=frozenset({PUBLIC_SPACE}),
        )
        found: list[str] = await writer.carry_out(adjusting)
        left += found
    return left


def _unknown(view: View) -> list[PoolDefinition]:
    return [pool for pool in system_pools() if view.definition(pool.ipam_pool_id) is None]


def _unlike(ranges: Mapping[str, Sequence[Cidr]], view: View) -> Mapping[str, Sequence[Cidr]]:
    """Those of ``ranges`` that the pools don't have exactly."""
    return {
        pool_id: wanted
        for pool_id, wanted in ranges.items()
        if set(wanted)
        != {
            found.cidr
            for _, found in view.pool_cidrs(pool_id, None)
            if found.state is CidrState.PROVISIONED
        }
    }


def _define(definition: PoolDefinition, rows: Rows) -> Decision[None]:
    is_known = rows.pool(definition.ipam_pool_id) is not None
    return Decision(None, () if is_known else (Defined(definition),))


def _adjust(ipam_pool_id: str, wanted: Sequence[Cidr], rows: Rows) -> Decision[list[str]]:
    pool = rows.pool(ipam_pool_id)
    if pool is None:
        raise AssertionError(f"'{ipam_pool_id}' was made a moment ago")
    unwanted = [found for found in pool.pool_cidrs if found.cidr not in wanted]
    gone = [found for found in unwanted if pool.is_unused(found)]
    left = [f"{found.cidr} is in use" for found in unwanted if found not in gone]
    changes: list[Change] = [change for found in gone for change in _given_up(pool, found)]
    for cidr in wanted:
        if pool.provisioned(cidr):
            continue
        others = [o for o in rows.top_level_cidrs(PUBLIC_SPACE, cidr) if o not in gone]
        if others:
            left.append(f"{cidr} overlaps {others[0].cidr} of '{others[0].ipam_pool_id}'")
        else:
            changes.append(Provisioned(PoolCidr(IPAM_POOL_CIDR.new(), ipam_pool_id, cidr)))
    return Decision(left, tuple(changes))


def _given_up(pool: Pool, found: PoolCidr) -> list[Change]:
    return [*map(MadeAvailable, pool.cooling_down_in(found.cidr)), Deprovisioned(found)]
