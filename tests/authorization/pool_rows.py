"""What is in pools: CIDRs, allocations, holds (ORG-4, POOL-5, IPAM-4, BEY-8, BEY-12)."""

from functools import partial

from tests.authorization.callers import ADMINISTRATOR, USER, WEST
from tests.authorization.making import ALLOCATED_CIDR
from tests.authorization.row import (
    ALLOWED,
    EMPTY,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Members,
    Row,
    outcomes,
)
from tests.authorization.services import ALLOCATION, BATCH, PLACEMENT
from tests.authorization.shares import USERS_CIDR

_NOTE = [{"key": "note", "value": "new"}]
_SHARED = outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, USER: ALLOWED})
_TAKEN = outcomes(HIDDEN, {ADMINISTRATOR: "InvalidParameterValue", USER: "InvalidParameterValue"})
"""That it is, not by whom: no answer has anything of its holder."""

_allocation = partial(Row, ALLOCATION, is_about_owners=True)
_users = partial(Row, ALLOCATION, note="the principal's")
_placement = partial(Row, PLACEMENT, is_about_owners=True)
_batch = partial(Row, BATCH, is_about_owners=True)


def _pool(**members: object) -> Members:
    return lambda it: {"ipam_pool_id": it.ipam_pool_id, **members}


def _top(**members: object) -> Members:
    return lambda it: {"ipam_pool_id": it.top_pool_id, **members}


ROWS = [
    _allocation("ProvisionIpamPoolCidr", ITS_ALONE, _pool(netmask_length=24)),
    _allocation("ProvisionIpamPoolCidr", ITS_ALONE, _top(cidr="11.0.0.0/16"), note="to the top"),
    _allocation(
        "DeprovisionIpamPoolCidr", ITS_ALONE, lambda it: {"ipam_pool_id": it.spare_pool_id}
    ),
    _allocation("GetIpamPoolCidrs", _SHARED, _pool()),
    _allocation("GetIpamPoolCidrs", ITS_ALONE, _top(), note="not shared"),
    _allocation("AllocateIpamPoolCidr", _SHARED, _pool(netmask_length=28)),
    _allocation("AllocateIpamPoolCidr", _TAKEN, _pool(cidr=ALLOCATED_CIDR), note="taken"),
    _allocation(
        "AllocateIpamPoolCidr",
        _SHARED,
        _pool(netmask_length=28, preview_next_cidr=True),
        note="preview",
    ),
    _allocation("AllocateIpamPoolCidr", ITS_ALONE, _top(netmask_length=28), note="not shared"),
    # Only the owner has allocations on the free tier, whatever it shares (IPAM-4).
    Row(
        ALLOCATION,
        "AllocateIpamPoolCidr",
        ITS_ALONE,
        lambda it: {"ipam_pool_id": it.free_pool_id, "netmask_length": 28},
        note="on the free tier",
        region=WEST,
    ),
    _allocation(
        "ReleaseIpamPoolAllocation",
        ITS_ALONE,
        lambda it: {
            "ipam_pool_id": it.ipam_pool_id,
            "cidr": ALLOCATED_CIDR,
            "ipam_pool_allocation_id": it.allocation_id,
        },
    ),
    _users(
        "ReleaseIpamPoolAllocation",
        _SHARED,
        lambda it: {
            "ipam_pool_id": it.ipam_pool_id,
            "cidr": USERS_CIDR,
            "ipam_pool_allocation_id": it.users_allocation_id,
        },
    ),
    _allocation(
        "ModifyIpamPoolAllocation",
        ITS_ALONE,
        lambda it: {"ipam_pool_allocation_id": it.allocation_id, "description": "new"},
    ),
    _users(
        "ModifyIpamPoolAllocation",
        _SHARED,
        lambda it: {"ipam_pool_allocation_id": it.users_allocation_id, "description": "new"},
    ),
    # Those with whom the pool is shared are told of their own alone.
    _allocation(
        "GetIpamPoolAllocations",
        outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, USER: EMPTY}),
        _pool(),
        note="all",
        shows=lambda it: it.allocation_id,
    ),
    _users("GetIpamPoolAllocations", _SHARED, _pool(), shows=lambda it: it.users_allocation_id),
    _allocation(
        "GetIpamPoolAllocations",
        ITS_ALONE,
        lambda it: {
            "ipam_pool_id": it.ipam_pool_id,
            "ipam_pool_allocation_id": it.allocation_id,
        },
    ),
    _allocation("GetIpamPoolAllocations", ITS_ALONE, _top(), note="not shared"),
    _allocation(
        "DescribeIpamPoolAllocations",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.allocation_id,
    ),
    _allocation(
        "DescribeIpamPoolAllocations",
        ITS_ALONE,
        lambda it: {"ipam_pool_allocation_ids": [it.allocation_id]},
    ),
    *(
        row
        for rpc in ("CreateTags", "DeleteTags")
        for row in (
            _allocation(
                rpc, ITS_ALONE, lambda it: {"resources": [it.allocation_id], "tags": _NOTE}
            ),
            _users(rpc, _SHARED, lambda it: {"resources": [it.users_allocation_id], "tags": _NOTE}),
        )
    ),
    # Abroad no pool of its would end the stream.
    _allocation("Watch", SHOWN_TO_IT_ALONE, shows=lambda it: it.ipam_pool_id, is_abroad_too=False),
    _placement("GetIpamPoolPlacement", ITS_ALONE, _pool()),
    _placement("ModifyIpamPoolPlacement", ITS_ALONE, _pool(avoids_observed=False)),
    _placement("HoldIpamPoolCidr", _SHARED, _pool(netmask_length=28)),
    _placement("HoldIpamPoolCidr", _TAKEN, _pool(cidr=ALLOCATED_CIDR), note="taken"),
    _placement("HoldIpamPoolCidr", ITS_ALONE, _top(netmask_length=28), note="not shared"),
    _placement(
        "ReleaseIpamPoolHold",
        ITS_ALONE,
        lambda it: {"ipam_pool_id": it.ipam_pool_id, "ipam_pool_hold_id": it.hold_id},
    ),
    # A hold is its holder's, against the owner of the pool as well.
    Row(
        PLACEMENT,
        "ReleaseIpamPoolHold",
        outcomes(HIDDEN, {USER: ALLOWED}),
        lambda it: {"ipam_pool_id": it.ipam_pool_id, "ipam_pool_hold_id": it.users_hold_id},
        note="the principal's",
    ),
    _placement("GetIpamPoolUnavailableCidrs", ITS_ALONE, _pool()),
    _placement("GetIpamPoolFreeSpace", _SHARED, _pool(netmask_length=28)),
    _placement("GetIpamPoolFreeSpace", ITS_ALONE, _top(netmask_length=28), note="not shared"),
    _batch(
        "BatchAllocateIpamPoolCidrs",
        _SHARED,
        lambda it: {"requests": [{"ipam_pool_id": it.ipam_pool_id, "netmask_length": 28}]},
    ),
    _batch(
        "BatchAllocateIpamPoolCidrs",
        _TAKEN,
        lambda it: {"requests": [{"ipam_pool_id": it.ipam_pool_id, "cidr": ALLOCATED_CIDR}]},
        note="taken",
    ),
    _batch(
        "BatchReleaseIpamPoolAllocations",
        ITS_ALONE,
        lambda it: {
            "requests": [
                {
                    "ipam_pool_id": it.ipam_pool_id,
                    "cidr": ALLOCATED_CIDR,
                    "ipam_pool_allocation_id": it.allocation_id,
                }
            ]
        },
    ),
    Row(
        BATCH,
        "BatchReleaseIpamPoolAllocations",
        _SHARED,
        lambda it: {
            "requests": [
                {
                    "ipam_pool_id": it.ipam_pool_id,
                    "cidr": USERS_CIDR,
                    "ipam_pool_allocation_id": it.users_allocation_id,
                }
            ]
        },
        note="the principal's",
    ),
]
